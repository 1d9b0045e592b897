/** An agent's memory is given back in quiet moments, when there is something to give, and seldom; no page that a process wrote is let go. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { memoryWatch } from '../../runtime/agent/small-memory.js';
import { cleanMappings } from '../../runtime/kernel/return-memory.js';

const test = suite('small memory');
const MB = 1 << 20;

/** A process whose CPU and memory the test sets; given back, it has 50 MB. */
function process(): { cpuSeconds: number; residentBytes: number; given: number; look(): void } {
  const one = { cpuSeconds: 0, residentBytes: 90 * MB, given: 0, look: () => watch.look() };
  const watch = memoryWatch(
    () => ({ cpuSeconds: one.cpuSeconds, residentBytes: one.residentBytes }),
    () => {
      one.given += 1;
      one.residentBytes = 50 * MB;
    },
  );
  return one;
}

test('what a start has left is given back at the first quiet look', () => {
  const one = process();
  one.cpuSeconds += 3;
  one.look();
  assert.is(one.given, 0, 'busy');
  one.cpuSeconds += 0.1;
  one.look();
  assert.is(one.given, 1);
});

test('again once it has grown, in a quiet moment, and not soon', () => {
  const one = process();
  one.look();
  one.residentBytes = 70 * MB;
  for (let n = 0; n < 11; n += 1) one.look();
  assert.is(one.given, 1, 'soon');
  one.cpuSeconds += 3;
  one.look();
  assert.is(one.given, 1, 'busy');
  one.look();
  assert.is(one.given, 2);
  one.residentBytes = 55 * MB;
  for (let n = 0; n < 30; n += 1) one.look();
  assert.is(one.given, 2, 'nothing to give');
});

const mapping = (range: string, rights: string, inode: number, name: string, own: number): string =>
  `${range} ${rights} 00001000 fe:00 ${inode}      ${name}\nSize:     4 kB\nRss:      4 kB\nAnonymous:         ${own} kB\nVmFlags: rd mr\n`;

test('only files that are read, and as they are', () => {
  const smaps = [
    mapping('00400000-00500000', 'r-xp', 7, '/usr/bin/node', 0),
    mapping('7f0000000000-7f0000002000', 'r--p', 8, '/lib/libc.so.6', 0),
    mapping('00500000-00600000', 'r--p', 7, '/usr/bin/node', 4),
    mapping('00600000-00700000', 'rw-p', 7, '/usr/bin/node', 0),
    mapping('00700000-00800000', 'r--p', 0, '', 0),
    mapping('00800000-00900000', 'r--s', 9, '/memory', 0),
    mapping('00900000-00a00000', 'r-xp', 0, '[vdso]', 0),
  ].join('');
  assert.equal(cleanMappings(smaps), [
    { from: 0x400000, bytes: 0x100000 },
    { from: 0x7f0000000000, bytes: 0x2000 },
  ]);
});

test.run();
