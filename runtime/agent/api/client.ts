/** A caller of the local API: what verbs on a node read where an agent runs. */
import { type IncomingMessage, request } from 'node:http';

/** An answer takes no longer; streams of events may. */
const ANSWER_MS = 10_000;
const MAX_ANSWER = 64 * 1024 * 1024;

export interface ApiAnswer {
  readonly status: number;
  readonly text: string;
}

export interface AgentApi {
  get(path: string): Promise<ApiAnswer>;
  post(path: string, body: object): Promise<ApiAnswer>;
  /** Lines of a stream, until the agent ends it or the signal; rejects where it is refused. */
  lines(path: string, signal: AbortSignal): AsyncIterable<string>;
}

function send(
  socketPath: string,
  options: { readonly path: string; readonly method: string; readonly signal?: AbortSignal },
  body: string | null,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, agent: false, ...options }, resolve);
    asked.once('error', reject);
    asked.end(body ?? undefined);
  });
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of answer) {
    if (!Buffer.isBuffer(part)) continue;
    size += part.length;
    if (size > MAX_ANSWER) throw new RangeError('the answer of the agent has no end');
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

async function* linesOf(answer: IncomingMessage): AsyncIterable<string> {
  let rest = '';
  answer.setEncoding('utf8');
  for await (const part of answer) {
    const lines = (rest + String(part)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

/** Calls at a socket; each call rejects with the error of connect(2) where no agent listens. */
export function agentApi(socketPath: string): AgentApi {
  const ask = async (path: string, method: string, body: string | null): Promise<ApiAnswer> => {
    const signal = AbortSignal.timeout(ANSWER_MS);
    const answer = await send(socketPath, { path, method, signal }, body);
    return { status: answer.statusCode ?? 0, text: await textOf(answer) };
  };
  return {
    get: (path) => ask(path, 'GET', null),
    post: (path, body) => ask(path, 'POST', JSON.stringify(body)),
    async *lines(path, signal) {
      const answer = await send(socketPath, { path, method: 'GET', signal }, null);
      if (answer.statusCode !== 200) throw new Error((await textOf(answer)).trim());
      try {
        yield* linesOf(answer);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },
  };
}

/** As agentApi; null where no agent listens there. */
export async function openAgentApi(socketPath: string): Promise<AgentApi | null> {
  const api = agentApi(socketPath);
  try {
    await api.get('/v1/health');
    return api;
  } catch {
    return null;
  }
}
