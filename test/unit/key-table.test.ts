/** Tables of keys of several parts: the image, read as the compiled code reads it, against a plain map; and what is refused. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { KeyPart } from '../../compiler/frontend/types.js';
import { foldWords, KEY_WORDS, keyWords, mix, planKeys } from '../../compiler/tables/index.js';
import { Prng } from '../support/prng.js';
import { findings } from './frontend-project.js';

const test = suite('key-table');

const integer = (value: bigint): KeyPart => ({ kind: 'integer', value });
const address = (last: number): KeyPart => {
  const bytes = Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? last : i === 0 ? 0xfd : 0));
  return { kind: 'address', bytes, text: '' };
};

/** The value of a key by the image alone. */
function look(
  plan: NonNullable<ReturnType<typeof planKeys>>,
  words: readonly bigint[],
): number | undefined {
  const stored = plan.columns.map((i) => words[i] ?? 0n);
  if (words.some((word, i) => word !== 0n && !plan.columns.includes(i))) return undefined;
  const hash = mix(foldWords(stored, plan.seed), plan.multiplier);
  const view = new DataView(plan.bytes.buffer);
  const bucket = Number(hash >> BigInt(64 - plan.bucketBits));
  const displacement = view.getUint16(plan.displacementsAt + 2 * bucket, true);
  const sum = hash + BigInt(displacement) * ((hash >> 32n) | 1n);
  const at = Number(BigInt.asUintN(plan.slotBits, sum)) * plan.stride;
  const same = stored.every((word, i) => view.getBigUint64(at + 8 * i, true) === word);
  return same ? view.getUint32(at + 8 * stored.length, true) : undefined;
}

for (const count of [1, 5, 300, 3000]) {
  test(`${count} random keys of an address and a number: each is found, its neighbours are not`, () => {
    const random = new Prng(count);
    const values = new Map<string, number>();
    const entries = Array.from({ length: count }, (_, value) => {
      const parts = [address(random.below(200)), integer(BigInt(random.below(100_000)))];
      values.set(keyWords(parts, () => 0).join(), value);
      return { parts, value };
    });
    const plan = planKeys({ entries }, () => 0);
    assert.ok(plan !== null);
    if (plan === null) return;
    assert.is(plan.bytes.length <= 3 * count * 28 + 200, true, `${plan.bytes.length}`);
    for (const { parts } of entries) {
      const words = keyWords(parts, () => 0);
      assert.is(look(plan, words), values.get(words.join()));
      for (let i = 0; i < KEY_WORDS; i++) {
        const other = words.map((word, j) => (i === j ? word ^ 1n : word));
        assert.is(look(plan, other), values.get(other.join()), `word ${i}`);
      }
    }
  });
}

test('words that no key has are not stored', () => {
  const entries = [{ parts: [integer(1n), integer(2n)], value: 5 }];
  assert.equal(planKeys({ entries }, () => 0)?.columns, [1, 3]);
  assert.is(
    planKeys({ entries: [] }, () => 0),
    null,
  );
});

test('keys of other kinds, and what is no address, are errors at their lines', async () => {
  const found =
    await findings(`const peers = new KeyTable<u32>("peers").set2(address("10.0.0.1"), 80, 1);
peers.set2(80, 80, 1);
peers.set3(address("10.0.0.1"), 80, 1, 1);
peers.set2(address("10.0.0.0/8"), 80, 1);
peers.set2(address("nowhere"), 80, 1);
export function authorizeConnection(connection: Connection): Verdict { return Verdict.Allow; }
`);
  assert.equal(
    found.map((text) => text.replace(/:\d+ /, ' ')),
    [
      'P130 policy.ts:3 a key of integer, integer among keys of address, integer',
      'P130 policy.ts:4 a key of address, integer, integer among keys of address, integer',
      'P130 policy.ts:5 `10.0.0.0/8` is no address',
      'P130 policy.ts:6 `nowhere` is no address',
    ],
  );
});

test.run();
