// One kernel under QEMU's own processor (TCG): slower than KVM, and works wherever QEMU does.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const MEMORY_MB = 2048;
/** A guest that says nothing for so long hangs. */
const SILENCE_MS = 300_000;
const CONSOLE_LINES = 30;

/**
 * Boots an image, hands over what the guest says in `WEFT {...}` lines, and resolves when the guest
 * is off. Rejects with the end of the console where it fails to say that it is done.
 */
export function boot({ kernel, image, onSaid }) {
  const qemu = spawn(
    'nice',
    [
      ...[
        '-n',
        '10',
        'qemu-system-x86_64',
        '-M',
        'q35',
        '-accel',
        'tcg,thread=multi',
        '-cpu',
        'max',
      ],
      ...['-smp', '2', '-m', String(MEMORY_MB), '-nographic', '-no-reboot', '-net', 'none'],
      ...['-kernel', kernel, '-initrd', image],
      ...['-append', 'console=ttyS0 quiet panic=-1 rdinit=/init'],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  return new Promise((resolve, reject) => {
    const lines = [];
    let problem = 'the guest stopped before it was done';
    let silence;
    const hear = () => {
      clearTimeout(silence);
      silence = setTimeout(() => {
        problem = `the guest said nothing for ${SILENCE_MS / 1000} s`;
        qemu.kill('SIGKILL');
      }, SILENCE_MS);
    };
    hear();
    createInterface({ input: qemu.stderr }).on('line', (line) => lines.push(line));
    createInterface({ input: qemu.stdout }).on('line', (text) => {
      hear();
      const line = text.replaceAll('\r', '');
      const said = /WEFT (\{.*\})$/.exec(line);
      if (said === null) lines.push(line);
      else {
        const value = JSON.parse(said[1]);
        if (value.done) problem = null;
        else if (value.failed) problem = value.failed;
        else onSaid(value);
      }
    });
    const stop = () => qemu.kill('SIGKILL');
    process.once('exit', stop);
    qemu.on('error', reject);
    qemu.on('close', () => {
      clearTimeout(silence);
      process.off('exit', stop);
      if (problem === null) resolve();
      else reject(new Error(`${problem}\n    ${lines.slice(-CONSOLE_LINES).join('\n    ')}`));
    });
  });
}
