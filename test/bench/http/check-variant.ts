/**
 * What a variant must do before it is measured: answer each reply whole from the right version, and, where
 * it is a mesh, refuse what the rules refuse. So that no variant is fast by doing less.
 */
import { spawnSync } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { placed } from './launch.js';
import type { Version } from './network.js';
import { ALLOW, HOST, headers, pathsOf, REPLIES, type Reply } from './rules.js';
import { NO_MESH, type Variant } from './variant.js';

interface Answer {
  readonly status: number;
  readonly bytes: number;
  readonly version: string;
}
interface Question {
  readonly version: Version;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

function ask(variant: Variant, question: Question): Answer {
  const written = Object.entries(question.headers).flatMap(([name, value]) => [
    '-H',
    `${name}: ${value}`,
  ]);
  const url = `http://${variant.target(question.version)}${question.path}`;
  const format = '%{http_code} %{size_download} %header{x-served-by}';
  const [shell, args] = placed(variant.client, [
    ...['curl', '-s', '-m', '5', '-o', '/dev/null', '-w', format, '-X', question.method],
    ...written,
    url,
  ]);
  const { stdout } = spawnSync(shell, args, { encoding: 'utf8' });
  const [status, bytes, version = ''] = stdout.split(' ');
  return { status: Number(status), bytes: Number(bytes), version };
}

const PLAIN = headers(false);
// `/admin` is in no route either, and Istio's first hop routes before its second authorizes.
const refused: readonly [string, Question, readonly number[]][] = [
  [
    'another method',
    { version: 'v1', method: 'PUT', path: REPLIES.small.path, headers: PLAIN },
    [403],
  ],
  ['another path', { version: 'v1', method: 'GET', path: '/admin', headers: PLAIN }, [403, 404]],
  [
    'no header',
    { version: 'v1', method: 'GET', path: REPLIES.small.path, headers: { Host: `${HOST}.prod` } },
    [403],
  ],
  [
    'another value of the header',
    {
      version: 'v1',
      method: 'GET',
      path: REPLIES.small.path,
      headers: { ...PLAIN, [ALLOW.header.name]: 'paymentsx' },
    },
    [403],
  ],
  [
    'a path that no route has',
    { version: 'v1', method: 'GET', path: '/api/nothing/', headers: PLAIN },
    [404],
  ],
  [
    'a host that no route has',
    {
      version: 'v1',
      method: 'GET',
      path: REPLIES.small.path,
      headers: { ...PLAIN, Host: 'nobody.prod' },
    },
    [404],
  ],
  [
    'a path of another host',
    { version: 'v1', method: 'GET', path: pathsOf('ratings'), headers: PLAIN },
    [404],
  ],
];

/** Waits until it answers at all, then asks everything; throws on the first wrong answer. */
export async function checkVariant(variant: Variant): Promise<void> {
  const first = { version: 'v1', method: 'GET', path: REPLIES.small.path, headers: PLAIN } as const;
  const until = Date.now() + 20_000;
  while (ask(variant, first).status !== 200) {
    variant.mustLive();
    if (Date.now() > until) throw new Error(`${variant.name} does not answer`);
    await setTimeout(50);
  }
  const expect = (what: string, question: Question, wanted: Answer | readonly number[]): void => {
    const answer = ask(variant, question);
    const good =
      'length' in wanted
        ? wanted.includes(answer.status)
        : JSON.stringify(answer) === JSON.stringify(wanted);
    if (!good)
      throw new Error(
        `${variant.name}, ${what}: ${JSON.stringify(answer)}, not ${JSON.stringify(wanted)}`,
      );
  };
  for (const reply of Object.keys(REPLIES) as Reply[])
    for (const version of variant.versions) {
      const { path, bytes } = REPLIES[reply];
      const question = { version, method: 'GET', path, headers: headers(version === 'v2') };
      expect(`${reply} of ${version}`, question, { status: 200, bytes, version });
    }
  if (NO_MESH.has(variant.name)) return;
  for (const [what, question, statuses] of refused) expect(what, question, statuses);
}
