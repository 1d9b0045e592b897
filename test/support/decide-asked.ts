/** What an engine lets through of generated questions, for the tests that compare imported policies in several engines. */
import type { RecordFields } from '../../runtime/simulate/index.js';
import type { TestEngine } from './engines.js';

/** A question: about a connection alone, or about a request on it too. */
interface AskedOf {
  readonly request: { readonly http: unknown };
}

/** In order: a request where its connection and itself are allowed. `requests` are null where none is judged. */
export async function decideAsked(
  engine: TestEngine,
  asked: readonly AskedOf[],
  connections: Uint8Array,
  requests: Uint8Array | null,
): Promise<readonly boolean[]> {
  const isAllowed = ({ verdict }: RecordFields): boolean => verdict === 1;
  const first = (await engine.decide(connections, 'authorize')).map(isAllowed);
  const second =
    requests === null ? [] : (await engine.decide(requests, 'authorizeRequest')).map(isAllowed);
  let at = 0;
  return asked.map(({ request }, i) => {
    const connection = first[i] === true;
    if (request.http === null || requests === null) return connection;
    at += 1;
    return connection && second[at - 1] === true;
  });
}
