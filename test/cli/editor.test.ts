/** docs/howto/editor.md: in a new project TypeScript's language server completes the types of "weft". */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { editorFiles } from '../../runtime/cli/editor-files.js';
import { weft, withFolder } from './harness.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const test = suite('editor');

interface Answer {
  readonly id?: number | string;
  readonly method?: string;
  readonly result?: unknown;
}

/** The labels that a language server offers at the end of a text (LSP 3.17). */
async function complete(folder: string, file: string, text: string): Promise<readonly string[]> {
  const tsc = join(root, 'node_modules/.bin/tsc');
  const server = spawn(tsc, ['--lsp', '--stdio'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const waiting = new Map<number | string, (result: unknown) => void>();
  const send = (message: object): void => {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message });
    server.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  };
  const ask = (id: number, method: string, params: object): Promise<unknown> =>
    new Promise((resolve) => {
      waiting.set(id, resolve);
      send({ id, method, params });
    });
  let pending = Buffer.alloc(0);
  server.stdout.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    for (;;) {
      const end = pending.indexOf('\r\n\r\n');
      const length = Number(
        /Content-Length: (\d+)/i.exec(pending.subarray(0, end).toString())?.[1],
      );
      if (end < 0 || pending.length < end + 4 + length) return;
      const answer: Answer = JSON.parse(pending.subarray(end + 4, end + 4 + length).toString());
      pending = pending.subarray(end + 4 + length);
      const { id, method, result } = answer;
      // The server asks too, for settings that nobody has.
      if (id !== undefined && method !== undefined) send({ id, result: null });
      else if (id !== undefined) waiting.get(id)?.(result);
    }
  });
  try {
    const uri = pathToFileURL(join(folder, file)).href;
    const workspaceFolders = [{ uri: pathToFileURL(folder).href, name: 'shop' }];
    await ask(1, 'initialize', {
      processId: null,
      rootUri: null,
      workspaceFolders,
      capabilities: {},
    });
    send({ method: 'initialized', params: {} });
    const textDocument = { uri, languageId: 'typescript', version: 1, text };
    send({ method: 'textDocument/didOpen', params: { textDocument } });
    const lines = text.split('\n');
    const position = { line: lines.length - 1, character: lines.at(-1)?.length ?? 0 };
    const found = await ask(2, 'textDocument/completion', { textDocument: { uri }, position });
    const items: unknown = Array.isArray(found) ? found : Reflect.get(Object(found), 'items');
    return (Array.isArray(items) ? items : []).map(({ label }: { label: string }) => label);
  } finally {
    server.kill();
  }
}

test('the members of the SDK are completed in a new project', () =>
  withFolder(async (folder) => {
    await weft(['init', 'shop'], { cwd: folder });
    const shop = join(folder, 'shop');
    const begun = `import { Connection, Verdict } from "weft";
export function authorizeConnection(connection: Connection): Verdict {
  return connection.`;
    const file = 'policies/isolation.ts';
    const members = ['destination', 'family', 'now', 'protocol', 'source'];
    assert.equal([...(await complete(shop, file, begun))].sort(), members);
    // The near miss: without the file nothing is known of "weft".
    rmSync(join(shop, 'tsconfig.json'));
    const without = await complete(shop, file, begun);
    assert.not.ok(members.every((name) => without.includes(name)));
    // Schemas are where the settings say.
    const settings = JSON.parse(readFileSync(join(shop, '.vscode/settings.json'), 'utf8'));
    const urls = [settings['json.schemas'][0].url, ...Object.keys(settings['yaml.schemas'])];
    for (const url of urls) assert.ok(existsSync(resolve(shop, url)), url);
  }));

test('the package is named where it is installed, else by the way to it; what is there stays', () =>
  withFolder(async (folder) => {
    const shop = join(folder, 'shop');
    mkdirSync(join(shop, 'node_modules/weft/policies'), { recursive: true });
    writeFileSync(join(shop, 'node_modules/weft/policies/tsconfig.json'), '{}');
    mkdirSync(join(shop, '.vscode'));
    writeFileSync(join(shop, '.vscode/settings.json'), '{}');
    const { exit, stdout } = await weft(['init', 'shop'], { cwd: folder });
    assert.is(exit, 0);
    assert.match(stdout, 'created shop/tsconfig.json');
    assert.not.match(stdout, '.vscode');
    const config = JSON.parse(readFileSync(join(shop, 'tsconfig.json'), 'utf8'));
    assert.is(config.extends, 'weft/policies/tsconfig.json');
    assert.is(readFileSync(join(shop, '.vscode/settings.json'), 'utf8'), '{}');
    const near = editorFiles('/srv/a/shop', '/srv/b/weft');
    assert.match(near['tsconfig.json'] ?? '', '"../../b/weft/policies/tsconfig.json"');
    const far = editorFiles('/home/a/shop', '/usr/lib/weft');
    assert.match(far['tsconfig.json'] ?? '', '"/usr/lib/weft/policies/tsconfig.json"');
  }));

test.run();
