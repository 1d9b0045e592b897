/** The page of a cluster in Chromium: what it shows, that it follows what happens, and that nothing can be done with it. */
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PageServer } from '../../runtime/page/index.js';
import type { EventRecord } from '../../runtime/probe/index.js';
import type { NodeReport, RolloutDocument, Watched } from '../../runtime/rollout/index.js';
import { pageState, serveStatus } from '../../runtime/status-page/index.js';
import { openChromium, PATIENCE_MS } from '../support/chromium.js';
import { PALE } from '../support/pale-texts.js';
import { NEW, nodeReports, OLD, rollout, running, START } from '../support/rollout-nodes.js';

const folder = fileURLToPath(new URL('../../../dist/status-page', import.meta.url));
const RULES = [
  { rule: 'policies/isolation.ts:9', policy: 'isolation', verdict: 'deny', count: 12 },
  { rule: 'policies/tenants.ts:14', policy: 'tenants', verdict: 'allow', count: 8123 },
];

/** Eight nodes in a canary: one on the new bundle, one that refuses it, one that is silent, one that runs something else. */
function cluster(): { watched: Watched; document: RolloutDocument } {
  const nodes = nodeReports(8).map((n) => ({ ...n, rules: RULES }));
  const document = rollout(
    { stages: [{ stage: 'shadow' }, { stage: 'canary', percent: 20 }, { stage: 'all' }] },
    nodes,
  );
  const canary: RolloutDocument = { ...document, stage: 1, canary: { below: 2 ** 31, labels: [] } };
  const now = START + 40_000;
  const refused = {
    digest: NEW,
    code: 'K007',
    message: 'too many instructions',
    place: 'a.ts:7',
    time: now,
  };
  const seen = nodes.map((n, i): NodeReport => {
    if (i === 0) return running(n, NEW, now);
    if (i === 1) return { ...n, heard: now, refused };
    if (i === 2) return n;
    return i === 3 ? running(n, `sha256:${'dd'.repeat(32)}`, now) : { ...n, heard: now };
  });
  return { watched: { nodes: seen, rollouts: [canary], now }, document: canary };
}

function eventOf(n: number, verdict: 'allow' | 'deny'): EventRecord {
  const party = { address: '10.2.0.9:4000', workload: `client-${n}.dev`, principal: null };
  return {
    ...{ time: '2026-01-02T03:04:05.000Z', node: 'node-1', verdict, rule: 'isolation.ts:9' },
    ...{
      source: party,
      destination: { ...party, workload: '<b>shop</b>.prod' },
      method: 'GET',
      path: '/x',
    },
  } as EventRecord;
}

/** What the control plane says, which a test may change, and verdicts that it sends. */
class Source {
  watched = cluster().watched;
  readonly waiting: EventRecord[] = [];
  fails = false;
  followers = 0;
  readonly state = async (): Promise<Watched> => {
    if (this.fails) throw new Error('no answer');
    return this.watched;
  };
  readonly events = (_: object, signal: AbortSignal): AsyncIterable<EventRecord> =>
    this.#follow(signal);
  async *#follow(signal: AbortSignal): AsyncGenerator<EventRecord> {
    this.followers += 1;
    try {
      while (!signal.aborted) {
        const next = this.waiting.shift();
        if (next === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
        else yield next;
      }
    } finally {
      this.followers -= 1;
    }
  }
}

const test = suite<{ browser: Browser; source: Source; served: PageServer }>('status page');
test.before(async (context) => {
  context.browser = await openChromium();
});
test.after(async ({ browser }) => {
  await browser.close();
});
test.before.each(async (context) => {
  context.source = new Source();
  context.served = await serveStatus({ folder, port: 0 }, context.source);
});
test.after.each(async ({ served }) => {
  await served[Symbol.asyncDispose]();
});

async function open(
  browser: Browser,
  url: string,
  width: number,
  colorScheme: 'dark' | 'light',
): Promise<{ page: Page; complaints: string[]; asked: string[] }> {
  const context = await browser.newContext({ viewport: { width, height: 844 }, colorScheme });
  const [complaints, asked]: [string[], string[]] = [[], []];
  context.on('request', (one) => asked.push(one.url()));
  context.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  context.on('weberror', (error) => complaints.push(error.error().message));
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(url);
  await page.waitForSelector('body[data-state=ready]');
  return { page, complaints, asked };
}
const textOf = async (page: Page, selector: string): Promise<string> =>
  (await page.locator(selector).allInnerTexts()).join(' ').replace(/\s+/g, ' ').trim();

test('nodes, the rollout as a picture, rules and live verdicts; nothing is asked of others', async ({
  browser,
  source,
  served,
}) => {
  const { page, complaints, asked } = await open(browser, served.url, 1280, 'light');
  const { wrong } = pageState(source.watched).counts;
  assert.is(await textOf(page, '#node-counts'), `8, 1 silent, ${wrong} not as desired`);
  assert.is(await page.locator('#nodes tbody tr').count(), 8);
  assert.match(
    await textOf(page, '[data-node=node-2]'),
    'refused sha256:bbbbbbbbbbbb…: K007 too many instructions',
  );
  assert.match(await textOf(page, '[data-node=node-3]'), 'silent for 40 s');
  assert.match(await textOf(page, '[data-node=node-4]'), 'runs sha256:dddddddddddd…');
  const stages = await page
    .locator('.stages li')
    .evaluateAll((all) => all.map((one) => one.className));
  assert.equal(stages, ['done', 'now', 'next']);
  assert.is(
    await page.getAttribute('.stages [aria-current=step] progress', 'value'),
    String(pageState(source.watched).rollouts[0]?.stages[1]?.taken),
  );
  assert.is(await page.locator('.dots i').count(), 8);
  assert.is(await page.locator('.dots i.silent').count(), 1);
  assert.match((await page.getAttribute('.dots', 'aria-label')) ?? '', '1 on the new bundle');
  assert.match(await textOf(page, '#rules tbody'), 'policies/tenants.ts:14 allow 64,984 8');
  // Verdicts, with names that are texts whatever they hold.
  while (source.followers === 0) await turn();
  source.waiting.push(eventOf(1, 'allow'), eventOf(2, 'deny'));
  await page.waitForSelector('#events li.deny');
  assert.match(
    await textOf(page, '#events li:first-child'),
    'deny client-2.dev → <b>shop</b>.prod GET /x',
  );
  assert.is(await page.locator('#events b').count(), 0);
  await page.check('#denials');
  assert.is(await page.locator('#events li:visible').count(), 1);
  // What happens is followed.
  const { watched } = source;
  source.watched = {
    ...watched,
    now: watched.now + 2000,
    rollouts: watched.rollouts.map((d) => ({
      ...d,
      state: 'done',
      stage: 2,
      canary: { below: 2 ** 32, labels: [] },
    })),
    nodes: watched.nodes.map((n) => ({
      ...running(n, NEW, watched.now),
      refused: null,
      rules: RULES.map((r) => ({ ...r, count: r.count + 100 })),
    })),
  };
  await page.waitForSelector('.rollout .mark.done');
  assert.is(await textOf(page, '#node-counts'), '8, 0 silent, 0 not as desired');
  assert.match(await textOf(page, '#rules tbody'), 'policies/tenants.ts:14 allow 65,784 400 8');
  assert.equal(
    asked.filter((url) => !url.startsWith(served.url)),
    [],
  );
  assert.equal(complaints, []);
  await page.context().close();
});

test('a filter names nodes; a control plane that does not answer is told', async ({
  browser,
  source,
  served,
}) => {
  const { page } = await open(browser, served.url, 1280, 'dark');
  await page.fill('#filter', 'zone=a ok');
  const shown = await page
    .locator('#nodes tbody tr')
    .evaluateAll((all) => all.map((one) => one.getAttribute('data-node')));
  const want = pageState(source.watched)
    .nodes.filter((n) => n.labels === 'zone=a' && n.is === 'ok')
    .map((n) => n.node);
  assert.equal(shown, want);
  source.fails = true;
  await page.waitForSelector('body[data-state=silent]');
  assert.match(await textOf(page, '#status'), 'does not answer; what is shown is of');
  source.fails = false;
  await page.waitForSelector('body[data-state=ready]');
  await page.context().close();
});

test('it fits a telephone and a desk, by keyboard, in light and dark', async ({
  browser,
  source,
  served,
}) => {
  for (const [width, scheme] of [
    [390, 'dark'],
    [390, 'light'],
    [1280, 'dark'],
    [1280, 'light'],
  ] as const) {
    const { page } = await open(browser, served.url, width, scheme);
    while (source.followers === 0) await turn();
    source.waiting.push(eventOf(1, 'allow'), eventOf(2, 'deny'));
    await page.waitForSelector('#events li.deny');
    assert.equal(await page.evaluate(PALE), [], `${width} ${scheme}`);
    assert.is(await page.evaluate('document.documentElement.scrollWidth'), width);
    // Tab goes from control to control; what is open stays open while the page is drawn anew.
    await page.focus('.rollout summary');
    await page.keyboard.press('Enter');
    const before = await textOf(page, '#status');
    source.watched = { ...source.watched, now: source.watched.now + 1 };
    await page.locator('#status', { hasNotText: before }).waitFor();
    assert.is(await page.evaluate('document.querySelector(".rollout details").open'), true);
    assert.is(await page.evaluate('document.activeElement.tagName'), 'SUMMARY');
    await page.keyboard.press('Tab');
    assert.is(await page.evaluate('document.activeElement.id'), 'filter');
    await page.keyboard.press('Tab');
    assert.is(await page.evaluate('document.activeElement.id'), 'pause');
    await page.keyboard.press('Enter');
    assert.is(await page.getAttribute('#pause', 'aria-pressed'), 'true');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    assert.is(await page.evaluate('document.activeElement.id'), 'events');
    await page.context().close();
  }
});

function statusOf(url: string, method: string, host: string, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, url), { method, headers: { host } }, (reply) => {
      reply.destroy();
      resolve(reply.statusCode ?? 0);
    });
    sent.on('error', reject);
    sent.end();
  });
}

test('it can only be read, under the name that it is served by', async ({ served, source }) => {
  const { host } = new URL(served.url);
  for (const path of ['/', '/page.js', '/state.json', '/events']) {
    assert.is(await statusOf(served.url, 'GET', host, path), 200, path);
    assert.is(await statusOf(served.url, 'GET', 'weft.example', path), 421, path);
    for (const method of ['POST', 'PUT', 'DELETE'])
      assert.is(await statusOf(served.url, method, host, path), 405, path);
  }
  for (const path of ['/package.json', '/../cli.mjs', '/__proto__', '/toString'])
    assert.is(await statusOf(served.url, 'GET', host, path), 404, path);
  const page = await fetch(served.url);
  const policy = page.headers.get('content-security-policy') ?? '';
  assert.match(policy, "default-src 'none'");
  assert.not.match(policy, 'unsafe');
  assert.is(await page.text(), readFileSync(join(folder, 'index.html'), 'utf8'));
  // Whoever goes away is no longer told of verdicts.
  while (source.followers > 0) await turn();
  source.fails = true;
  const failed = await fetch(new URL('/state.json', served.url)).then(
    () => 'answered',
    () => 'failed',
  );
  assert.is(failed, 'failed');
});

test('many nodes are cut, those that are wrong first', () => {
  const nodes = nodeReports(1200);
  const document = rollout({ stages: [{ stage: 'all' }] }, nodes);
  const last = nodes.at(-1);
  const done = nodes.map((n) => (n === last ? n : running(n, NEW, START)));
  const state = pageState({ nodes: done, rollouts: [document], now: START });
  assert.is(state.nodes.length, 500);
  assert.is(state.moreNodes, 700);
  assert.equal([state.nodes[0]?.node, state.nodes[0]?.is], [last?.node, 'wrong']);
  assert.equal(state.counts, { nodes: 1200, silent: 0, wrong: 1 });
  assert.is(state.rollouts[0]?.dots.length, 1000);
  assert.is(state.rollouts[0]?.before, `${OLD.slice(0, 19)}…`);
});

test.run();
