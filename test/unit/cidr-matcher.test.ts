import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseCidr } from '../../compiler/frontend/parse-cidr.js';
import { referenceContains } from '../../compiler/tables/index.js';
import { parseAddress } from '../../runtime/discovery/index.js';
import { cidrMatcher } from '../../runtime/simulate/cidr.js';
import { splitMix32 } from '../../runtime/simulate/index.js';

function bytesOf(text: string): Uint8Array {
  const address = parseAddress(text);
  if (address === null) throw new Error(text);
  return address.bytes;
}

function isIn(prefixes: readonly string[], bytes: Uint8Array): boolean {
  return cidrMatcher(prefixes)(new DataView(bytes.buffer, bytes.byteOffset), 0);
}

const test = suite('simulate: address sets');
const rows: [string, string, boolean][] = [
  ['10.1.0.0/16', '10.1.255.255', true],
  ['10.1.0.0/16', '10.2.0.0', false],
  ['10.1.0.4', '10.1.0.4', true],
  ['10.1.0.4', '10.1.0.5', false],
  ['10.1.0.7/30', '10.1.0.4', true],
  ['0.0.0.0/0', '203.0.113.9', true],
  ['0.0.0.0/0', '2001:db8::1', false],
  ['::/0', '2001:db8::1', true],
  ['::/0', '10.0.0.1', false],
  ['::ffff:10.0.0.0/104', '10.9.9.9', true],
  ['::ffff:10.0.0.0/104', '11.0.0.0', false],
  ['2001:db8::/33', '2001:db8:7fff::', true],
  ['2001:db8::/33', '2001:db8:8000::', false],
  ['fd00::1/128', 'fd00::1', true],
  ['fd00::1/128', 'fd00::2', false],
];
for (const [prefix, address, want] of rows) {
  test(`${address} is ${want ? '' : 'not '}in ${prefix}`, () => {
    assert.is(isIn([prefix], bytesOf(address)), want);
    assert.is(isIn([], bytesOf(address)), false);
  });
}

test('agrees with the reference over random sets', () => {
  let n = 0;
  const draw = (below: number): number => splitMix32(11, n++) % below;
  for (let round = 0; round < 200; round += 1) {
    const v4 = (): string => [10, draw(4), draw(4), draw(256)].join('.');
    const v6 = (): string => `fd00:${draw(4)}::${draw(4)}:${draw(4)}`;
    const texts = Array.from({ length: 1 + draw(6) }, () =>
      draw(2) === 0 ? `${v4()}/${draw(33)}` : `${v6()}/${draw(129)}`,
    );
    const parsed = texts.flatMap((text) => {
      const outcome = parseCidr(text);
      return outcome.ok ? [outcome.prefix] : [];
    });
    const bytes = bytesOf(draw(2) === 0 ? v4() : v6());
    assert.is(isIn(texts, bytes), referenceContains(parsed, bytes), texts.join(' '));
  }
});
test.run();
