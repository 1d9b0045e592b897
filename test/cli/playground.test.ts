/**
 * `weft playground` in Chromium: what a user sees when a policy is edited, that it is the same bundle as `weft build`
 * makes, and that nothing is asked of any other host.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runCli } from '../../runtime/cli/run-cli.js';
import { openChromium, PATIENCE_MS } from '../support/chromium.js';
import { PALE } from '../support/pale-texts.js';
import { testEnv, weft, withFolder } from './harness.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const EXAMPLE = join(root, 'policies/examples/bookinfo');

interface Served extends AsyncDisposable {
  readonly url: string;
}

/** Runs the verb until it is disposed of. */
async function serve(...args: readonly string[]): Promise<Served> {
  const stop = new AbortController();
  const told: Buffer[] = [];
  const env = testEnv({ signal: stop.signal }, [], told);
  const done = runCli(['playground', '--port', '0', ...args], env);
  let url: string | undefined;
  let exit: number | null = null;
  void done.then((code) => {
    exit = code;
  });
  while (url === undefined && exit === null) {
    url = /^http:\S+/.exec(Buffer.concat(told).toString())?.[0];
    await turn();
  }
  assert.ok(url !== undefined, Buffer.concat(told).toString());
  return {
    url: url ?? '',
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      assert.is(await done, 130);
    },
  };
}

/** What a page asked for and complained of. */
interface Watched {
  readonly asked: string[];
  readonly complaints: string[];
}

function watch(context: BrowserContext): Watched {
  const watched: Watched = { asked: [], complaints: [] };
  context.on('request', (one) => watched.asked.push(one.url()));
  context.on('console', (message) => {
    if (message.type() === 'error') watched.complaints.push(message.text());
  });
  context.on('weberror', (error) => watched.complaints.push(error.error().message));
  return watched;
}

/** Waits until the answer is of what the editor says. */
async function ready(page: Page): Promise<void> {
  await page.waitForSelector('body[data-state=ready]', { timeout: PATIENCE_MS });
}

async function digestOf(page: Page): Promise<string> {
  return (await page.getAttribute('#status', 'data-digest')) ?? '';
}

/** Replaces the text of the file that is open, as if it were typed. */
async function write(page: Page, text: string): Promise<void> {
  await page.locator('.cm-content').click();
  await page.keyboard.press('Control+a');
  await page.keyboard.press('Delete');
  await page.keyboard.insertText(text);
  await ready(page);
}

/** Parts of predicates that are broken inside of a word. */
const BROKEN = `[...document.querySelectorAll('.steps code')]
  .flatMap((code) => [...code.childNodes].filter((node) => node.nodeType === 3 && !node.data.includes(' ')))
  .filter((node) => {
    const range = document.createRange();
    range.selectNode(node);
    return range.getClientRects().length > 1;
  })
  .map((node) => node.data)`;

const verdictOf = (page: Page, id: string): Promise<string | null> =>
  page.textContent(`[data-case="${id}"] .verdict`);

const test = suite<{ browser: Browser; served: Served }>('playground');

test.before(async (context) => {
  context.served = await serve(EXAMPLE);
  context.browser = await openChromium();
});
test.after(async ({ browser, served }) => {
  await browser.close();
  await served[Symbol.asyncDispose]();
});

test('a project is compiled, edited and explained, with the bytes of `weft build`', ({
  browser,
  served,
}) =>
  withFolder(async (folder) => {
    const built = await weft(['build', EXAMPLE, '--out', join(folder, 'a.weft'), '-o', 'json']);
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    const watched = watch(context);
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    await page.goto(served.url);
    await ready(page);
    assert.is(await digestOf(page), JSON.parse(built.stdout).bundle);
    assert.is(await page.textContent('#totals'), '10 allow, 14 deny');

    // An edit: the verdict follows, and so does the explanation of the request that is chosen.
    await page.click('[data-case="globex-has-no-plan"]');
    await ready(page);
    assert.match((await page.textContent('#view')) ?? '', /Nearest to being let in/);
    await page.click('[data-tab="policies/tenants.ts"]');
    const tenants = readFileSync(join(EXAMPLE, 'policies/tenants.ts'), 'utf8');
    assert.is(await verdictOf(page, 'globex-has-no-plan'), 'deny');
    await write(page, tenants.replace('"globex", 0', '"globex", PAID'));
    assert.is(await verdictOf(page, 'globex-has-no-plan'), 'allow');
    assert.match((await page.textContent('#view')) ?? '', /entry globex, gives 2/);
    assert.not.match((await page.textContent('#view')) ?? '', /Nearest/);
    // Its expectation does not hold any more, and the page says so.
    assert.match((await page.textContent('#totals')) ?? '', /1 not as expected/);
    assert.is.not(await digestOf(page), JSON.parse(built.stdout).bundle);

    // The address shares it: another page comes to the same.
    await page.click('#share');
    await page.waitForURL(/#.{10}/);
    const digest = await digestOf(page);
    const other = await context.newPage();
    await other.goto(page.url());
    await ready(other);
    assert.is(await digestOf(other), digest);
    await other.goto(`${served.url}#p1=damaged`);
    await other.reload();
    await ready(other);
    assert.is(await digestOf(other), JSON.parse(built.stdout).bundle);
    await other.close();

    // A fault: marked at its line alone, told below, and nothing is decided.
    await write(page, tenants.replace('return Verdict.Allow', 'return Verdict.Perhaps'));
    const lines = page.locator('.cm-line');
    const row = tenants.split('\n').findIndex((line) => line.includes('Verdict.Allow'));
    assert.is(await lines.nth(row).locator('.cm-lintRange-error').count(), 1);
    assert.is(await page.locator('.cm-lintRange-error').count(), 1);
    assert.match((await page.textContent('#findings')) ?? '', `tenants.ts:${row + 1}:`);
    assert.is(await digestOf(page), '');
    assert.is(await page.locator('[data-case]').count(), 0);
    await write(page, tenants);
    assert.is(await page.locator('.cm-lintRange-error').count(), 0);
    assert.is(await digestOf(page), JSON.parse(built.stdout).bundle);

    // The world can be edited, and another request asked.
    await page.click('#adding summary');
    await page.fill('[name=from]', 'reviews-v1.prod');
    await page.fill('[name=to]', 'details.prod:80');
    await page.click('#add button');
    await page.waitForSelector('[data-case="reviews-v1-prod-details-prod-80"]');
    assert.is(await verdictOf(page, 'reviews-v1-prod-details-prod-80'), 'deny');
    await page.click('[data-tab="world.yaml"]');
    const world = readFileSync(join(EXAMPLE, 'world.yaml'), 'utf8');
    await write(page, world.replace('serviceAccount: reviews', 'serviceAccount: productpage'));
    assert.is(await verdictOf(page, 'reviews-v1-prod-details-prod-80'), 'allow');

    // What it became: tables with their entries, instructions with the lines that they are of.
    await page.click('[data-tab="tables"]');
    assert.match((await page.textContent('#view')) ?? '', /plans table of tenants: 1003 entries/);
    await page.click('[data-tab="asm"]');
    await page.click('#view >> text=/@ policies\\/blocklist.ts:10:/ >> nth=0');
    assert.is(
      await page.getAttribute('#files [aria-selected=true]', 'data-tab'),
      'policies/blocklist.ts',
    );

    assert.equal(
      watched.asked.filter((url) => !url.startsWith(served.url) && !url.startsWith('data:')),
      [],
    );
    assert.ok(watched.asked.some((url) => url.endsWith('.wasm')));
    assert.equal(watched.complaints, []);
    await context.close();
  }));

test('it fits a telephone, by keyboard, in the dark', async ({ browser, served }) => {
  for (const { width, colorScheme } of [
    { width: 390, colorScheme: 'dark' },
    { width: 1280, colorScheme: 'light' },
  ] as const) {
    const viewport = { width, height: 844 };
    const context = await browser.newContext({ viewport, colorScheme });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    await page.goto(served.url);
    await ready(page);
    assert.equal(await page.evaluate(PALE), [], `${width} ${colorScheme}`);
    assert.is(await page.evaluate('document.documentElement.scrollWidth'), width);
    // Tab goes from control to control, arrows from file to file, and the editor is no trap.
    const focused = (): Promise<unknown> =>
      page.evaluate('document.activeElement.dataset.tab ?? document.activeElement.id');
    await page.focus('#share');
    await page.keyboard.press('Tab');
    assert.is(await focused(), 'policies/blocklist.ts');
    await page.keyboard.press('ArrowRight');
    assert.is(await focused(), 'policies/callers.ts');
    assert.is(await page.getAttribute('.cm-content', 'aria-label'), 'policies/callers.ts');
    await page.keyboard.press('Tab');
    assert.is(await page.evaluate('document.activeElement.className.includes("cm-content")'), true);
    await page.keyboard.press('Tab');
    assert.is(await page.evaluate('document.activeElement.dataset.case'), 'acme-opens-the-shop');
    await page.keyboard.press('Enter');
    await ready(page);
    assert.is(await page.getAttribute('[aria-pressed=true]', 'data-case'), 'acme-opens-the-shop');
    assert.ok((await page.locator('.steps code').count()) > 0);
    assert.equal(await page.evaluate(BROKEN), [], `${width}`);
    await context.close();
  }
});

/** Status of a request whose headers are given. */
function statusOf(url: string, method: string, host: string, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, url), { method, headers: { host } }, (reply) => {
      reply.resume();
      resolve(reply.statusCode ?? 0);
    });
    sent.on('error', reject);
    sent.end();
  });
}

test('the server answers loopback alone, and has only the files of the page', async ({
  served,
}) => {
  const { host } = new URL(served.url);
  assert.is(await statusOf(served.url, 'GET', host, '/'), 200);
  assert.is(await statusOf(served.url, 'HEAD', 'localhost', '/page.js'), 200);
  assert.is(await statusOf(served.url, 'GET', 'weft.example', '/'), 421);
  assert.is(await statusOf(served.url, 'POST', host, '/'), 405);
  for (const path of ['/package.json', '/../cli.mjs', '/inputs.json/x'])
    assert.is(await statusOf(served.url, 'GET', host, path), 404, path);
  const page = await fetch(served.url);
  assert.match(page.headers.get('content-security-policy') ?? '', "default-src 'none'");
  assert.not.match(await page.text(), '%NONCE%');
});

test('a port that is taken, a port that is none, a folder that is no project', () =>
  withFolder(async (folder) => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as AddressInfo;
    const busy = await weft(['playground', '--port', String(port), '-o', 'json']);
    taken.close();
    assert.is(busy.exit, 1);
    assert.is(JSON.parse(busy.stdout).diagnostics[0].code, 'U022');
    const none = await weft(['playground', '--port', '99999']);
    assert.is(none.exit, 64);
    assert.match(none.stderr, 'error[U004]: `99999` is no port');
    writeFileSync(join(folder, 'policy.ts'), '');
    const empty = await weft(['playground', folder, '--port', '0']);
    assert.is(empty.exit, 1);
    assert.match(empty.stderr, 'error[U013]');
  }));

test.run();
