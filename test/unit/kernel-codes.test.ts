import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CODES } from '../../runtime/kernel/codes.js';

const test = suite('kernel door: codes');
const room = fileURLToPath(new URL('../../../runtime/kernel/', import.meta.url));

test('every code that the room names has an entry, and every entry is used', () => {
  const used = new Set<string>();
  for (const name of readdirSync(room).filter(
    (file) => file.endsWith('.ts') && file !== 'codes.ts',
  ))
    for (const [, code] of readFileSync(room + name, 'utf8').matchAll(/'(KERNEL_[A-Z_0-9]+)'/g))
      if (code && code !== 'KERNEL_') used.add(code);
  for (const errno of ['EAGAIN', 'ENOMEM', 'EPERM']) used.add(`KERNEL_${errno}`); // made from an errno
  assert.equal([...used].sort(), Object.keys(CODES).sort());
});

test.run();
