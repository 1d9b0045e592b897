/** What `weft bench` compares with: a document that it wrote before, and what has become worse since. */
import { createHash } from 'node:crypto';
import { cpus, release, totalmem } from 'node:os';
import { version } from 'node:process';

export interface Machine {
  readonly cpu: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly node: string;
  /** Times of machines with another are not compared. */
  readonly fingerprint: string;
}

export interface BenchedCase {
  readonly id: string;
  readonly file: string;
  readonly verdict: string;
  readonly p50: number;
  readonly p99: number;
  readonly samples: number;
  readonly fuel: number;
  readonly steps: number;
  readonly lookups: number;
}
export interface BenchedPolicy {
  readonly name: string;
  readonly instructions: number;
  readonly worstInstructions: number | null;
  readonly lookups: number;
}
export interface BenchDocument {
  readonly machine: Machine;
  readonly engine: string;
  readonly policies: readonly BenchedPolicy[];
  readonly cases: readonly BenchedCase[];
}

export interface Change {
  readonly of: string;
  readonly metric: string;
  readonly before: number;
  readonly now: number;
  readonly percent: number;
  readonly isRegression: boolean;
}

/** This machine, as far as times depend on it. */
export function machineOf(): Machine {
  const facts = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cpus: cpus().length,
    memoryBytes: totalmem(),
    kernel: release(),
    node: version,
  };
  const fingerprint = createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16);
  return { ...facts, fingerprint };
}

/** A baseline out of its text; null where it is none. */
export function readBaseline(text: string): BenchDocument | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { machine, engine, policies, cases } = value as Partial<BenchDocument>;
  const isOne =
    typeof machine?.fingerprint === 'string' &&
    typeof engine === 'string' &&
    Array.isArray(policies) &&
    Array.isArray(cases);
  return isOne ? { machine, engine, policies, cases } : null;
}

/**
 * What has changed, worst first: counts wherever both have them, times where the machine is the same. More
 * than `most` per cent is a regression.
 */
export function compareBench(
  before: BenchDocument,
  now: Omit<BenchDocument, 'machine'> & { readonly machine: Machine },
  most: number,
): readonly Change[] {
  const found: Change[] = [];
  const add = (of: string, metric: string, from: number | null, to: number | null): void => {
    if (from === null || to === null) return;
    const percent = from === 0 ? (to === 0 ? 0 : 100) : ((to - from) / from) * 100;
    const rounded = Math.round(percent * 10) / 10;
    // What a hundredth of the samples exceeds is the machine's more than the policies': told, not judged.
    const isRegression = percent > most && metric !== 'p99';
    found.push({ of, metric, before: from, now: to, percent: rounded, isRegression });
  };
  for (const policy of now.policies) {
    const old = before.policies.find(({ name }) => name === policy.name);
    if (old === undefined) continue;
    add(policy.name, 'instructions', old.instructions, policy.instructions);
    add(policy.name, 'lookups', old.lookups, policy.lookups);
  }
  const isTimed =
    before.machine.fingerprint === now.machine.fingerprint && before.engine === now.engine;
  for (const one of now.cases) {
    const old = before.cases.find(({ id, file }) => id === one.id && file === one.file);
    if (old === undefined) continue;
    if (isTimed) {
      add(one.id, 'p50', old.p50, one.p50);
      add(one.id, 'p99', old.p99, one.p99);
    }
    add(one.id, 'steps', old.steps, one.steps);
    add(one.id, 'lookups', old.lookups, one.lookups);
  }
  return found.sort((a, b) => b.percent - a.percent);
}
