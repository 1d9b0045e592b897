/** A keeper as a process of its own: it ends when it is told to, and so does what it started. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const main = fileURLToPath(new URL('../../runtime/cli/main.js', import.meta.url));
const RUN = '/run/weft';

const test = suite('weft keeper');

const folders = (): readonly string[] =>
  existsSync(RUN) ? readdirSync(RUN).filter((name) => name.startsWith('keeper-')) : [];

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  for (const command of [['sleep', '1000'], ['false']]) {
    test(`${signal} ends it beside \`${command.join(' ')}\`, and leaves nothing`, async () => {
      const before = folders();
      const keeper = spawn(process.execPath, [main, 'keeper', '--', ...command], {
        stdio: ['ignore', 'ignore', 'pipe'],
        timeout: 60_000,
        killSignal: 'SIGKILL',
      });
      const ended = once(keeper, 'exit');
      let child = 0;
      for await (const line of createInterface(keeper.stderr)) {
        const { pid } = JSON.parse(line);
        if (child === 0 && typeof pid === 'number') {
          child = pid;
          keeper.kill(signal);
        }
      }
      const [code, killer] = await ended;
      assert.is(killer, null, 'it ended by itself');
      assert.type(code, 'number');
      assert.not(existsSync(`/proc/${child}`), 'what it started has ended');
      assert.equal(folders(), before, 'its socket is gone');
    });
  }
}

test.run();
