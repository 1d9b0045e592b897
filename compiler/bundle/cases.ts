/**
 * Cases that travel in a bundle: what it must answer, in the worlds that they were written for. A node
 * asks its kernel each of them before the bundle decides anything. A layer of its own, JSON in
 * canonical form; nothing in a case depends on where it stands, so that any choice of them means the same.
 */
import { canonicalJson } from './canonical-json.js';
import { validate } from './gen/cases.gen.js';
import { MAX_CASES, MAX_CASES_BYTES } from './limits.js';
import { Refusal, readJson } from './refusal.js';

export interface TravellingCase {
  /** Line of the scenario on which it was written. */
  readonly line: number;
  /** As a scenario writes it (scenario.schema.json), every draw and the time given. */
  readonly case: Readonly<Record<string, unknown>> & { readonly id: string };
}

export interface CaseFile {
  /** The scenario, as the project names it. */
  readonly file: string;
  /** Which of the worlds its cases are about. */
  readonly world: number;
  /** Cases of the file that did not come along. */
  readonly left: number;
  readonly cases: readonly TravellingCase[];
}

export interface CaseLayer {
  readonly schemaVersion: 1;
  /** As world.yaml has them (world.schema.json). */
  readonly worlds: readonly { readonly file: string; readonly document: unknown }[];
  readonly files: readonly CaseFile[];
}

/** Number of cases in a layer. */
export function caseCount({ files }: CaseLayer): number {
  return files.reduce((sum, { cases }) => sum + cases.length, 0);
}

/** Reads the layer. Refuses with B105 what is none, with B106 what is too much. */
export function readCaseLayer(bytes: Uint8Array): CaseLayer {
  if (bytes.length > MAX_CASES_BYTES) {
    throw new Refusal('B106', `the cases have ${bytes.length} bytes, more than ${MAX_CASES_BYTES}`);
  }
  const value = readJson(bytes, 'the layer of cases');
  if (!validate(value)) {
    const [first] = validate.errors ?? [];
    const place = `the layer of cases${first?.instancePath === '' ? '' : `, \`${first?.instancePath}\`,`}`;
    throw new Refusal('B105', `${place} ${first?.message ?? 'is not as its schema says'}`);
  }
  if (canonicalJson(value) !== new TextDecoder().decode(bytes)) {
    throw new Refusal('B105', 'the layer of cases is not in canonical form');
  }
  const layer = value as CaseLayer;
  if (caseCount(layer) > MAX_CASES) {
    throw new Refusal('B106', `the bundle has ${caseCount(layer)} cases, more than ${MAX_CASES}`);
  }
  if (layer.files.some(({ world }) => world >= layer.worlds.length)) {
    throw new Refusal('B105', 'cases are about a world that the bundle does not have');
  }
  return layer;
}
