/**
 * Plays a row on real sockets: steps in order, consecutive ones of one end in one go. What it gives
 * is how it went: nothing, or the step that went otherwise, with what came instead.
 */
import type { Actor, Order, Result } from './actor.js';
import { bound, type Command, client, type Mode, type Row, type Server, type Step } from './row.js';
import { HOSTS } from './topology.js';

export interface Cast {
  readonly client: Actor;
  readonly outsider: Actor;
  readonly v1: Actor;
  readonly v2: Actor;
  readonly other: Actor;
}

export interface Target {
  readonly host: string;
  readonly port: number;
}

export interface Failure {
  /** Index in the steps that were played; -1: opening the connection, their number: the end. */
  readonly at: number;
  readonly what: string;
  readonly result: Result;
}

export interface Performance {
  readonly steps: readonly Step[];
  readonly failure: Failure | null;
  /** Everything that the client heard. */
  readonly heard: { readonly count: number; readonly hash: string; readonly end: string | null };
}

export interface Scene {
  readonly cast: Cast;
  readonly mode: Mode;
  readonly target: Target;
  readonly deadline: number;
}

const LABEL = 'c';
const NOISE = 'noise';
const SERVERS = ['v1', 'v2', 'other'] as const;

/** The steps of a mode, with the end that the row leaves to us. */
export function stepsOf(row: Row, mode: Mode): readonly Step[] {
  const end = row.end === 'done' ? [] : [client.shut(), bound.end(), bound.close(), client.end()];
  return [...row.steps, ...end].filter((step) => step.mode === undefined || step.mode === mode);
}

/** Without a mesh one server plays every part. */
const actorOf = (step: Step, mode: Mode): 'client' | Server =>
  step.who === 'client' || mode === 'weft' ? step.who : 'v1';

const order = (step: Step): Order => ({ ...step.command, on: step.on, as: LABEL });

class Stop extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.what);
    this.failure = failure;
  }
}

/** Plays a row. Every connection of it is gone when it returns. */
export async function play(row: Row, scene: Scene): Promise<Performance> {
  const { cast, mode, deadline } = scene;
  const steps = stepsOf(row, mode);
  const actor = row.from === 'outsider' ? cast.outsider : cast.client;
  const mine: Cast = { ...cast, client: actor };
  let failure: Failure | null = null;
  try {
    await open(row, mine, scene);
    await playSteps(steps, mine, scene);
    await noStrays(steps.length, scene);
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    failure = error.failure;
  }
  const [heard] = await actor.ask([{ op: 'heard', as: LABEL }], deadline);
  const forget = { op: 'forget', reset: failure !== null };
  for (const one of [actor, ...SERVERS.map((name) => cast[name])])
    await one.ask([failure === null ? forget : { op: 'drop', reset: true }], deadline);
  return {
    steps,
    failure,
    heard: { count: heard?.count ?? 0, hash: heard?.hash ?? '', end: heard?.end ?? null },
  };
}

/** The client connects, and its server takes the connection, as one from the client's address. */
async function open(row: Row, cast: Cast, scene: Scene): Promise<void> {
  for (const label of row.noise ? [LABEL, NOISE] : [LABEL]) {
    const connect = {
      ...{ op: 'connect', as: label, kind: row.socket ?? 'tcp', ...scene.target },
      ...(row.receive === undefined ? {} : { receive: row.receive }),
    };
    const made = await must(cast.client, connect, scene);
    const { address, port } = made;
    const came = await must(cast.v1, { op: 'arrive', as: label, address, port }, scene);
    checkPeer(row, came, -1);
  }
}

async function must(actor: Actor, what: Order, { deadline }: Scene): Promise<Result> {
  const [result = { ok: false }] = await actor.ask([what], deadline);
  if (!result.ok) throw new Stop({ at: -1, what: what.op, result });
  return result;
}

/** The server sees the client's own address, whichever connection a request comes on. */
function checkPeer(row: Row, result: Result, at: number): void {
  const { v4, v6 } = HOSTS[row.from === 'outsider' ? 'outsider' : 'client'];
  const peer = result.peer?.[0] ?? '';
  if (peer !== v4 && peer !== v6)
    throw new Stop({ at, what: `a connection from the client, not from ${peer}`, result });
}

async function playSteps(steps: readonly Step[], cast: Cast, scene: Scene): Promise<void> {
  for (let at = 0; at < steps.length; ) {
    const who = actorOf(steps[at] as Step, scene.mode);
    let end = at + 1;
    while (end < steps.length && actorOf(steps[end] as Step, scene.mode) === who) end += 1;
    const results = await cast[who].ask(steps.slice(at, end).map(order), scene.deadline);
    const last = results.at(-1);
    if (last !== undefined && !last.ok) {
      const index = at + results.length - 1;
      throw new Stop({ at: index, what: `${who} ${wordsOf(steps[index]?.command)}`, result: last });
    }
    at = end;
  }
}

async function noStrays(at: number, { cast, deadline }: Scene): Promise<void> {
  for (const name of SERVERS) {
    const [result] = await cast[name].ask([{ op: 'stray' }], deadline);
    if (result !== undefined && !result.ok)
      throw new Stop({ at, what: `nothing more at ${name}`, result });
  }
}

const wordsOf = (command: Command | undefined): string => command?.op ?? '';
