/** Reads scenario.yaml: form by the schema, then names, times and draws against the world. */
import {
  type Diagnostic,
  diagnostic,
  hasErrors,
  type Position,
} from '../../compiler/diagnostic/index.js';
import type { World } from '../discovery/index.js';
import {
  type DocumentPath,
  type DocumentRead,
  didYouMean,
  isoMilliseconds,
  readDocument,
} from '../schema/index.js';
import { CODES } from './codes.js';
import { caseDraws, DEFAULT_NOW } from './draws.js';
import type { DecideInput } from './outcome.js';
import type { RequestText } from './request.js';
import { type ConnectText, resolveConnect } from './resolve-connect.js';

/** What a case asks for; keys that are absent are not compared. */
export interface Expectation {
  readonly verdict?: 'allow' | 'deny';
  readonly cluster?: string | null;
  readonly endpoint?: string | null;
  readonly rule?: string;
  readonly reason?: string;
  readonly audit?: boolean;
  readonly status?: number | null;
  /** All of them, in order. */
  readonly edits?: readonly string[];
  readonly location?: string | null;
}

export interface ScenarioCase {
  readonly id: string;
  readonly connect: ConnectText;
  /** As written, where a request is asked about. */
  readonly request?: RequestCase;
  readonly input: DecideInput;
  readonly expect: Expectation;
  /** Where it is written; null for a case that no file has. */
  readonly at: Position | null;
}

export interface Scenario {
  readonly file: string;
  readonly world: string | null;
  readonly seed: number;
  readonly cases: readonly ScenarioCase[];
}

/** A request and its ends, as a scenario writes it. */
export interface RequestCase extends ConnectText {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The request that is sent: GET / unless told, with the host of `to` unless a header says another. */
export function requestText(raw: RequestCase): RequestText {
  const headers = Object.entries(raw.headers ?? {});
  const hasHost = headers.some(([name]) => name.toLowerCase() === 'host');
  const host = raw.to.replace(/:\d+$/, '');
  return {
    method: raw.method ?? 'GET',
    target: raw.path ?? '/',
    headers: hasHost ? headers : [['host', host], ...headers],
  };
}

interface RawCase {
  readonly id: string;
  readonly connect?: ConnectText;
  readonly request?: RequestCase;
  readonly random?: number;
  readonly pick?: number;
  readonly now?: string;
  readonly healthy?: Readonly<Record<string, boolean>>;
  readonly expect?: Expectation;
}
interface RawScenario {
  readonly world?: string;
  readonly seed?: number;
  readonly cases: readonly RawCase[];
}

const NANOSECONDS = 1_000_000n;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/;

/** Reads an ISO 8601 time with zone as ns since 1970; null where it is none, or before 1970. */
export function parseTime(text: string): bigint | null {
  const time = TIME.test(text) ? isoMilliseconds(text) : Number.NaN;
  return Number.isNaN(time) || time < 0 ? null : BigInt(time) * NANOSECONDS;
}

/** Reads a draw: a fraction below 1 is scaled to u32, a whole number stands for itself. */
export function parseDraw(value: number): number | null {
  if (!(value >= 0) || value > 0xffffffff) return null;
  if (Number.isInteger(value)) return value;
  return value < 1 ? Math.floor(value * 2 ** 32) : null;
}

class CaseReader {
  readonly found: Diagnostic[] = [];
  private readonly world: World;
  private readonly at: DocumentRead['at'];
  private readonly seed: number;

  constructor(world: World, at: DocumentRead['at'], seed: number) {
    this.world = world;
    this.at = at;
    this.seed = seed;
  }

  private report(code: string, path: DocumentPath, message: string, help?: string | null): void {
    const remedy = help ?? CODES[code]?.help ?? null;
    this.found.push(diagnostic(code, message, { at: this.at(path), help: remedy }));
  }

  private health(path: DocumentPath, raw: RawCase): void {
    const known = this.world.workloads.map((w) => w.name);
    for (const name of Object.keys(raw.healthy ?? {})) {
      if (known.includes(name)) continue;
      const help = didYouMean(name, known);
      this.report('W301', [...path, 'healthy', name], `\`${name}\` is no workload`, help);
    }
  }

  /** Everything of the input but the ends. */
  private facts(
    path: DocumentPath,
    raw: RawCase,
    index: number,
  ): Omit<DecideInput, 'source' | 'destination' | 'protocol'> {
    const drawn = caseDraws(this.seed, index);
    const random = raw.random === undefined ? drawn.random : parseDraw(raw.random);
    if (random === null)
      this.report('W307', [...path, 'random'], `\`${raw.random}\` is not a draw`);
    const now = raw.now === undefined ? DEFAULT_NOW : parseTime(raw.now);
    if (now === null)
      this.report('W306', [...path, 'now'], `\`${raw.now}\` is not a time with a zone`);
    this.health(path, raw);
    return {
      random: random ?? 0,
      pick: raw.pick ?? drawn.pick,
      now: now ?? DEFAULT_NOW,
      ...(raw.healthy === undefined ? {} : { healthy: raw.healthy }),
    };
  }

  read(raw: RawCase, index: number, ids: Set<string>): ScenarioCase | null {
    const path = ['cases', index];
    if (ids.has(raw.id))
      this.report('W302', [...path, 'id'], `the id \`${raw.id}\` is given twice`);
    ids.add(raw.id);
    const facts = this.facts(path, raw, index);
    const ends = raw.request ?? raw.connect;
    if (ends === undefined || (raw.request !== undefined && raw.connect !== undefined)) {
      const has = ends === undefined ? 'neither' : 'both';
      const message = `the case \`${raw.id}\` has ${has} of \`connect\` and \`request\``;
      this.report('W308', path, message);
      return null;
    }
    const resolved = resolveConnect(this.world, ends);
    if (!resolved.ok) {
      const { code, message, help, part } = resolved.fault;
      const key = raw.request === undefined ? 'connect' : 'request';
      this.report(code, [...path, key, part], message, help);
      return null;
    }
    const { request } = raw;
    const input = {
      ...resolved.ends,
      ...facts,
      ...(request === undefined ? {} : { request: requestText(request) }),
    };
    const asked = request === undefined ? { connect: ends } : { connect: ends, request };
    const at = this.at(path);
    return { id: raw.id, ...asked, input, expect: raw.expect ?? {}, at };
  }
}

export interface ScenarioRead {
  /** Null where there are errors. */
  readonly scenario: Scenario | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** A scenario of which the form is read: it names its world before the cases are read in it. */
export interface ScenarioForm {
  /** The world that it names; null where it names none. */
  readonly world: string | null;
  /** Of its form alone; with an error among them no world has cases of it. */
  readonly diagnostics: readonly Diagnostic[];
  readIn(world: World): ScenarioRead;
}

/** Reads the form of a scenario; every fault is a diagnostic. */
export function readScenarioForm(text: string, file: string): ScenarioForm {
  const read = readDocument(text, file, 'scenario');
  const raw = read.value as RawScenario | null;
  const readIn = (world: World): ScenarioRead => {
    if (raw === null) return { scenario: null, diagnostics: read.diagnostics };
    const seed = raw.seed ?? 0;
    const reader = new CaseReader(world, read.at, seed);
    const ids = new Set<string>();
    const cases = raw.cases.flatMap((item, index) => reader.read(item, index, ids) ?? []);
    const diagnostics = [...read.diagnostics, ...reader.found];
    if (hasErrors(diagnostics)) return { scenario: null, diagnostics };
    return { scenario: { file, world: raw.world ?? null, seed, cases }, diagnostics };
  };
  return { world: raw?.world ?? null, diagnostics: read.diagnostics, readIn };
}

/** Reads the text of a scenario for a world; every fault is a diagnostic. */
export function readScenario(text: string, file: string, world: World): ScenarioRead {
  return readScenarioForm(text, file).readIn(world);
}
