/**
 * HTTP on real sockets: every row without a mesh, then every row with Weft, over IPv4 and IPv6. The
 * first run shows that the rows are right; the second that the client gets the same bytes.
 * WEFT_HTTP_ROWS, a regular expression, plays the rows whose ids have it, for work on one of them;
 * WEFT_HTTP_SHORT=1 plays with the short circuit.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ROWS as ALL_ROWS } from './rows/index.js';
import { describeFailure, failWith } from './stage/describe.js';
import { isMatch, isUnsteady, type KnownOpen, readKnownOpen } from './stage/known-open.js';
import { Mesh } from './stage/mesh.js';
import { type Performance, play, type Target } from './stage/play.js';
import { SERVICE } from './stage/project.js';
import { exchangesOf, type Family, type Mode, type Row } from './stage/row.js';
import { Stage } from './stage/stage.js';
import { HOSTS, type HostName } from './stage/topology.js';

/** Seconds that a step may take: one that never comes is a failure. Many failures are told sooner. */
const DEADLINE = 20;
const IMPATIENT_DEADLINE = 2;
const FAILURES_TO_WAIT_FOR = 5;
/** What is known to fail need not be waited for. */
const OPEN_DEADLINE = 0.05;
const FAMILIES: readonly Family[] = [4, 6];

const wanted = new RegExp(process.env['WEFT_HTTP_ROWS'] ?? '');
const ROWS = ALL_ROWS.filter((row) => wanted.test(row.id));
const open = readKnownOpen();
const plainRuns = new Map<string, Performance>();
const stillOpen = new Map<KnownOpen, number>();
let failures = 0;
let stage: Stage | null = null;
let mesh: Mesh | null = null;

const addressOf = (name: HostName, family: Family): string =>
  family === 4 ? HOSTS[name].v4 : HOSTS[name].v6;
const idOf = (row: Row, family: Family): string => `${row.id} (IPv${family})`;

function knownOf(row: Row, family: Family): KnownOpen | undefined {
  return open.find((one) => isMatch(one, row.id) || isMatch(one, idOf(row, family)));
}

function targetOf(row: Row, mode: Mode, family: Family): Target {
  const direct = mode === 'plain' || row.from === 'outsider' || row.to === 'endpoint';
  if (direct) return { host: addressOf('v1', family), port: SERVICE.target };
  return { host: family === 4 ? SERVICE.v4 : SERVICE.v6, port: SERVICE.port };
}

function perform(row: Row, mode: Mode, family: Family, deadline: number): Promise<Performance> {
  if (stage === null) throw new Error('the stage is not set');
  return play(row, { cast: stage.actors, mode, target: targetOf(row, mode, family), deadline });
}

async function setStage(): Promise<void> {
  stage = new Stage();
  await stage.listen();
}

async function strikeStage(): Promise<void> {
  await mesh?.stop();
  await stage?.close();
}

const plain = suite('http without a mesh');
plain('the stage is set', setStage);
for (const row of ROWS)
  for (const family of row.families ?? FAMILIES)
    plain(idOf(row, family), async () => {
      const run = await perform(row, 'plain', family, DEADLINE);
      plainRuns.set(idOf(row, family), run);
      if (run.failure !== null) failWith('differs', describeFailure(row, 'without a mesh', run));
    });
plain.run();

const weft = suite('http with Weft');
weft('Weft starts', async () => {
  mesh = new Mesh();
  await mesh.start(...(process.env['WEFT_HTTP_SHORT'] === '1' ? ['--short-circuit'] : []));
});
weft.after(strikeStage);

/** How the run with Weft differs from what the row and the run without a mesh say; empty where it does not. */
async function difference(row: Row, family: Family, deadline: number): Promise<string> {
  const run = await perform(row, 'weft', family, deadline);
  const failed = describeFailure(row, 'with Weft', run);
  if (failed !== '') return failed;
  // Where the row itself has the client hear something else, it has said what.
  if (row.steps.some(({ who, mode }) => who === 'client' && mode !== undefined)) return '';
  const heard = plainRuns.get(idOf(row, family))?.heard;
  if (heard?.hash === run.heard.hash && heard.count === run.heard.count) return '';
  return `${row.id}: the client heard ${heard?.count} bytes without a mesh, ${run.heard.count} with Weft`;
}

const rowsWithWeft = ROWS.flatMap((row) =>
  (row.families ?? FAMILIES).map((family) => ({ row, family, known: knownOf(row, family) })),
);
// What fails is last: what a row left half done may come later, and be nobody's.
for (const wanting of [false, true])
  for (const { row, family, known } of rowsWithWeft) {
    if ((known !== undefined) !== wanting) continue;
    weft(idOf(row, family), async () => {
      const patience = failures < FAILURES_TO_WAIT_FOR ? DEADLINE : IMPATIENT_DEADLINE;
      const deadline = known === undefined ? patience : OPEN_DEADLINE;
      const found = await difference(row, family, deadline);
      if (known === undefined) {
        if (found === '') return;
        failures += 1;
        failWith('differs', found);
      }
      if (found === '' && !isUnsteady(known))
        failWith('passes now', `remove \`${known.pattern}\` from known-open.txt`);
      stillOpen.set(known, (stillOpen.get(known) ?? 0) + 1);
    });
  }

weft('every line of known-open.txt has a row', () => {
  const ids = ALL_ROWS.flatMap((row) => [row.id, ...FAMILIES.map((family) => idOf(row, family))]);
  const orphans = open.filter((one) => !ids.some((id) => isMatch(one, id)));
  assert.equal(orphans, []);
});

weft('at least 300 exchanges, each id once', () => {
  const familiesOf = (row: Row): number => (row.families ?? FAMILIES).length;
  const played = ALL_ROWS.reduce((sum, row) => sum + familiesOf(row), 0);
  const exchanges = ALL_ROWS.reduce((sum, row) => sum + exchangesOf(row) * familiesOf(row), 0);
  assert.ok(exchanges >= 300, String(exchanges));
  assert.is(new Set(ALL_ROWS.map((row) => row.id)).size, ALL_ROWS.length);
  const counts = [...stillOpen].map(([known, n]) => `${n} ${known.pattern}: ${known.reason}`);
  const openRows = [...stillOpen.values()].reduce((sum, n) => sum + n, 0);
  console.error(`${played} rows, ${exchanges} exchanges, each without a mesh and with Weft`);
  console.error([`${openRows} of them known to be open`, ...counts].join('\n  '));
});
weft.run();
