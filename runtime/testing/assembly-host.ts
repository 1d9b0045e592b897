/**
 * What `weft/test` imports (policies/sdk/test.ts): a test asks about connections and requests, which are decided at
 * once, and says what it expects. Strings are AssemblyScript's: UTF-16, their length in bytes before them.
 */
import type { World } from '../discovery/index.js';
import { readWorld } from '../discovery/index.js';
import {
  type ConnectText,
  caseDraws,
  DEFAULT_NOW,
  type DecideInput,
  type Outcome,
  parseDraw,
  parseTime,
  type RequestCase,
  requestText,
  resolveConnect,
} from '../simulate/index.js';
import type { DecideNow } from './asked.js';

export interface Failure {
  /** Byte offset of the code that expected; null where it is not known. */
  readonly offset: number | null;
  readonly detail: string;
}

export interface AssemblyHost {
  readonly imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Begins a test; answers what became of it. */
  readonly run: (body: () => void) => {
    readonly failures: readonly Failure[];
    readonly asked: readonly {
      readonly world: World;
      readonly input: DecideInput;
      readonly outcome: Outcome;
    }[];
  };
  readonly text: (pointer: number) => string;
}

interface Question {
  readonly kind: string;
  readonly from: string;
  readonly to: string;
  readonly facts: Map<string, string>;
  readonly headers: [string, string][];
  outcome: Outcome | null;
}

/** Thrown where a test cannot go on; its message is the detail. */
class TestStop extends Error {}

const COMPARED: Readonly<Record<string, (outcome: Outcome) => string | number | null>> = {
  verdict: (o) => o.verdict,
  rule: (o) => o.rule,
  cluster: (o) => o.cluster,
  endpoint: (o) => o.endpoint,
  status: (o) => o.status,
  location: (o) => o.location,
  reason: (o) => o.reason,
};

/** Offsets of the frames of WASM on a stack, innermost first, as V8 writes them. */
function stackOffsets({ stack = '' }: Error): number[] {
  return [...stack.matchAll(/wasm-function\[\d+\]:0x([0-9a-f]+)/g)].map((m) =>
    Number.parseInt(m[1] ?? '0', 16),
  );
}

export interface HostOptions {
  readonly world: World;
  readonly decide: DecideNow;
  /** True for code of the file of tests itself, not of the library. */
  readonly isOwn: (offset: number) => boolean;
  readonly memory: () => ArrayBuffer;
}

/** Makes the imports of one file of tests. */
export function assemblyHost(options: HostOptions): AssemblyHost {
  let { world } = options;
  let questions: Question[] = [];
  let failures: Failure[] = [];
  let asked: { world: World; input: DecideInput; outcome: Outcome }[] = [];
  const text = (pointer: number): string => {
    const view = new DataView(options.memory());
    const length = view.getUint32((pointer >>> 0) - 4, true);
    const bytes = new Uint8Array(view.buffer, pointer >>> 0, length);
    return new TextDecoder('utf-16le').decode(bytes.slice());
  };
  const place = (error: Error): number | null => {
    const offsets = stackOffsets(error);
    return offsets.find(options.isOwn) ?? offsets[0] ?? null;
  };
  const at = (handle: number): Question => {
    const question = questions[handle];
    if (question === undefined) throw new TestStop('a connection of another test is asked about');
    return question;
  };
  const decide = (question: Question): Outcome => {
    if (question.outcome !== null) return question.outcome;
    const input = inputOf(question, world);
    const outcome = options.decide(world, input);
    asked.push({ world, input, outcome });
    question.outcome = outcome;
    return outcome;
  };
  const weft_test = {
    open: (kind: number, from: number, to: number): number =>
      questions.push({
        ...{ kind: text(kind), from: text(from), to: text(to) },
        ...{ facts: new Map(), headers: [], outcome: null },
      }) - 1,
    set: (handle: number, key: number, value: number) => {
      at(handle).facts.set(text(key), text(value));
    },
    header: (handle: number, name: number, value: number) => {
      at(handle).headers.push([text(name), text(value)]);
    },
    check: (handle: number, key: number, want: number) => {
      const outcome = decide(at(handle));
      const name = text(key);
      const have = COMPARED[name]?.(outcome) ?? null;
      const wanted = text(want);
      const isWhole = name === 'rule' && wanted === `${outcome.file}:${outcome.line}`;
      if (String(have) === wanted || isWhole) return;
      failures.push({
        offset: place(new Error()),
        detail: `${name}: expected ${wanted}, got ${have}`,
      });
    },
    world: (yaml: number) => {
      const read = readWorld(text(yaml), 'useWorld');
      const [first] = read.diagnostics;
      if (read.world === null)
        throw new TestStop(`useWorld: line ${first?.line}: ${first?.message}`);
      world = read.world;
    },
  };
  // AssemblyScript throws by calling this.
  const env = {
    abort: (message: number): never => {
      throw new TestStop(message === 0 ? 'the test was aborted' : text(message));
    },
  };
  return {
    imports: { weft_test, env },
    text,
    run: (body) => {
      ({ world } = options);
      [questions, failures, asked] = [[], [], []];
      try {
        body();
      } catch (error) {
        const stopped = error instanceof Error ? error : new Error(String(error));
        failures.push({ offset: place(stopped), detail: stopped.message });
      }
      return { failures, asked };
    },
  };
}

/** The input of a decision; throws TestStop where a name or a number is wrong. */
function inputOf({ kind, from, to, facts, headers }: Question, world: World): DecideInput {
  const family = facts.get('family');
  if (family !== undefined && family !== '4' && family !== '6') {
    throw new TestStop(`\`${family}\` is no IP version`);
  }
  const connect: ConnectText = {
    ...{ from, to, protocol: kind === 'udp' ? 'udp' : 'tcp' },
    ...(family === undefined ? {} : { family: family === '6' ? 6 : 4 }),
  };
  const resolved = resolveConnect(world, connect);
  if (!resolved.ok) throw new TestStop(resolved.fault.message);
  const drawn = caseDraws(0, 0);
  const random = facts.has('random') ? parseDraw(Number(facts.get('random'))) : drawn.random;
  if (random === null) throw new TestStop(`\`${facts.get('random')}\` is not a draw`);
  const time = facts.get('now');
  const now = time === undefined ? DEFAULT_NOW : parseTime(time);
  if (now === null) throw new TestStop(`\`${time}\` is not a time with a zone`);
  const pick = facts.has('pick') ? Number(facts.get('pick')) : drawn.pick;
  const request: RequestCase = {
    ...connect,
    method: facts.get('method') ?? 'GET',
    path: facts.get('path') ?? '/',
  };
  const plain = requestText(request);
  const hasHost = headers.some(([name]) => name.toLowerCase() === 'host');
  const all = hasHost ? headers : [...plain.headers, ...headers];
  return {
    ...{ ...resolved.ends, random, pick, now },
    ...(kind === 'request' ? { request: { ...plain, headers: all } } : {}),
  };
}
