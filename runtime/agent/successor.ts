/**
 * An upgrade: an agent starts the next one from the files as they are now, and hands over to it. The
 * successor is given copies of the pooled connections as at any start (LISTEN_FDS), prepares all it has, and
 * only then the two agree on what is whose; the one before ends when nothing is in its hands any more.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { messageOf } from '../../compiler/diagnostic/index.js';
import { type Forward, type Predecessor, upstreamName } from '../forward/index.js';
import type { Channel } from './agent-env.js';
import { AgentError } from './agent-error.js';
import { CODES } from './codes.js';

type Word =
  | { readonly kind: 'prepared' | 'armed' | 'serving' | 'last' }
  | { readonly kind: 'pools'; readonly indices: readonly number[] | null }
  | { readonly kind: 'doors'; readonly doors: readonly number[] };

function failed(message: string): AgentError {
  return new AgentError('A041', message, CODES['A041']?.help ?? null);
}

function isWord(message: unknown): message is Word {
  return typeof message === 'object' && message !== null && 'kind' in message;
}

/** Words that came, for whoever waits for the next one. */
class Words {
  readonly #came: Word[] = [];
  #wake: () => void = () => {};
  #end: Error | null = null;

  take(message: unknown): void {
    if (isWord(message)) this.#came.push(message);
    this.#wake();
  }

  end(error: Error): void {
    this.#end = error;
    this.#wake();
  }

  /** Rejects where the other end is gone. */
  async next(): Promise<Word> {
    for (;;) {
      const word = this.#came.shift();
      if (word !== undefined) return word;
      if (this.#end !== null) throw this.#end;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async expect<K extends Word['kind']>(
    ...kinds: readonly K[]
  ): Promise<Extract<Word, { kind: K }>> {
    const word = await this.next();
    if (kinds.some((kind) => kind === word.kind)) return word as Extract<Word, { kind: K }>;
    throw failed(`it said \`${word.kind}\` out of turn`);
  }
}

/** The agent before, as its successor sees it. */
export interface Before extends Predecessor {
  /** Says that this agent serves: the one before takes no more work. */
  serving(): void;
  /** This agent has no part in exchanges (yet): whatever the one before had ends with it. */
  skip(): Promise<void>;
}

/** Over the channel that the agent before gave. */
export function openBefore(channel: Channel): Before {
  const words = new Words();
  let [isArming, isOver] = [false, false];
  channel.onMessage((message) => words.take(message));
  channel.onClose(() => words.end(failed('the agent before ended in the middle')));
  const ready: Before['ready'] = async () => {
    if (isOver) return null;
    channel.send({ kind: 'prepared' });
    const { indices } = await words.expect('pools');
    return indices === null ? null : new Set(indices);
  };
  const doors: Before['doors'] = async () => {
    if (isArming) channel.send({ kind: 'armed' });
    const word = await words.expect('doors', 'last');
    isArming = true;
    return word.kind === 'doors' ? word.doors : null;
  };
  return {
    ready,
    doors,
    serving: () => channel.send({ kind: 'serving' }),
    skip: async () => {
      await ready();
      isOver = true;
      // What nobody needs any more is taken and left.
      while ((await doors()) !== null);
    },
  };
}

export interface HandingOver {
  /** The command that the successor is. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Null where no generation needed it. */
  readonly forward: Forward | null;
  /** The successor serves: this process is not the main one any more. */
  readonly onServing: (pid: number) => Promise<void>;
}

function start({ command, env }: HandingOver, copies: ReadonlyMap<number, number>): ChildProcess {
  const [program = '', ...args] = command;
  const { LISTEN_PID: _, ...others } = env;
  return spawn(program, args, {
    // It outlives this process.
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', ...copies.values(), 'ipc'],
    env: {
      ...others,
      LISTEN_FDS: String(copies.size),
      LISTEN_FDNAMES: [...copies.keys()].map(upstreamName).join(':'),
    },
  });
}

/**
 * Starts the successor and hands over; resolves once nothing is in this agent's hands any more, or with
 * A041 where the successor never was prepared: then all goes on as it was. Rejects with A041 where it was:
 * then this agent has to end.
 */
export async function handOver(handing: HandingOver): Promise<AgentError | null> {
  const { forward } = handing;
  const copies = forward?.freeze() ?? new Map<number, number>();
  const words = new Words();
  const child = start(handing, copies);
  child.on('message', (message) => words.take(message));
  child.once('error', (error) => words.end(failed(error.message)));
  child.once('exit', (code) => words.end(failed(`the successor ended with ${code ?? 'a signal'}`)));
  const say = (word: Word): void => {
    child.send(word);
  };
  try {
    await words.expect('prepared');
  } catch (error) {
    forward?.thaw();
    return failed(messageOf(error));
  }
  say({ kind: 'pools', indices: forward?.leavePools(new Set(copies.keys())) ?? null });
  let wake: () => void = () => {};
  let fail: (error: unknown) => void = () => {};
  const broken = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  broken.catch(() => {}); // whoever waits is told
  const serving = new Promise<void>((resolve) => {
    const listen = async (): Promise<never> => {
      for (;;) {
        const { kind } = await words.expect('armed', 'serving');
        if (kind === 'armed') wake();
        else await handing.onServing(child.pid ?? 0).then(resolve);
      }
    };
    listen().catch((error) => fail(error));
  });
  const give = async (doors: readonly number[]): Promise<void> => {
    const armed = new Promise<void>((resolve) => {
      wake = resolve;
    });
    say({ kind: 'doors', doors });
    await Promise.race([armed, broken]);
  };
  if (forward !== null) await Promise.race([forward.leaveDoors({ give }), broken]);
  say({ kind: 'last' });
  await Promise.race([serving, broken]);
  child.disconnect();
  child.unref();
  return null;
}
