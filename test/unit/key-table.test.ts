/** Tables of keys of several parts: the image, read as the compiled code reads it, against a plain map; and what is refused. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { KeyPart } from '../../compiler/frontend/types.js';
import {
  alikeMask,
  foldWords,
  KEY_WORDS,
  type KeysPlan,
  keyWords,
  packWords,
  planKeys,
} from '../../compiler/tables/index.js';
import { exactIn, slotIn } from '../support/perfect-hash.js';
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
  if (
    words.some((word, i) => ((word ^ (plan.alike[i] ?? 0n)) & alikeMask(plan.fields, i)) !== 0n)
  ) {
    return undefined;
  }
  if (plan.kind === 'packed') return exactIn(plan.exact, packWords(words, plan.fields));
  const stored = plan.fields.map(({ word }) => words[word] ?? 0n);
  const view = new DataView(plan.bytes.buffer);
  const at = slotIn(plan, foldWords(stored, plan.seed)).slot * plan.stride;
  const same = stored.every((word, i) => view.getBigUint64(at + 8 * i, true) === word);
  return same ? view.getUint32(at + 8 * stored.length, true) : undefined;
}

const bytesOf = (plan: KeysPlan): number => {
  const form = plan.kind === 'packed' ? plan.exact : plan;
  return form.kind === 'chain' ? 0 : form.bytes.length;
};

/** Of 17 bits packed, and of more than 64, which are folded. */
const NUMBERS = {
  packed: (random: Prng): bigint => BigInt(random.below(100_000)),
  folded: (random: Prng): bigint =>
    (BigInt(random.below(1 << 30)) << 34n) | BigInt(random.below(99)),
} as const;

for (const count of [1, 5, 300, 3000]) {
  for (const kind of ['packed', 'folded'] as const) {
    test(`${count} random keys of an address and a number, ${kind}: each is found, its neighbours are not`, () => {
      const random = new Prng(count);
      const values = new Map<string, number>();
      const entries = Array.from({ length: count }, (_, value) => {
        const parts = [address(random.below(200)), integer(NUMBERS[kind](random))];
        values.set(keyWords(parts, () => 0).join(), value);
        return { parts, value };
      });
      const plan = planKeys({ entries }, () => 0);
      assert.ok(plan !== null);
      if (plan === null) return;
      if (count > 5) assert.is(plan.kind, kind);
      assert.is(
        bytesOf(plan) <= 3 * count * (kind === 'packed' ? 6 : 28) + 200,
        true,
        `${bytesOf(plan)}`,
      );
      for (const { parts } of entries.slice(0, 500)) {
        const words = keyWords(parts, () => 0);
        assert.is(look(plan, words), values.get(words.join()));
        for (let i = 0; i < KEY_WORDS; i++) {
          for (let bit = 0n; bit < 64n; bit += 7n) {
            const other = words.map((word, j) => (i === j ? word ^ (1n << bit) : word));
            assert.is(look(plan, other), values.get(other.join()), `word ${i}, bit ${bit}`);
          }
        }
      }
    });
  }
}

test('each slot holds a key of the table, unused ones too: zeros would be a key of their own', () => {
  const random = new Prng(7);
  const entries = Array.from({ length: 300 }, (_, value) => ({
    parts: [address(1 + random.below(200)), integer(1n + NUMBERS.folded(random))],
    value,
  }));
  const plan = planKeys({ entries }, () => 0);
  if (plan?.kind !== 'folded') throw new Error('the keys are packed');
  const wordsAt = (slot: number): string => {
    const view = new DataView(plan.bytes.buffer, slot * plan.stride);
    return plan.fields.map((_, i) => view.getBigUint64(8 * i, true)).join();
  };
  const keys = entries.map(({ parts }) => keyWords(parts, () => 0));
  const known = new Set(keys.map((words) => plan.fields.map(({ word }) => words[word]).join()));
  const slots = Array.from({ length: 1 << plan.slotBits }, (_, slot) => slot);
  assert.ok(slots.length > known.size, 'no slot is unused');
  for (const slot of slots) assert.ok(known.has(wordsAt(slot)), `slot ${slot}`);
});

test('what is alike in all keys is not stored', () => {
  const entries = [1n, 2n, 3n].map((last) => ({ parts: [integer(8n), integer(last)], value: 5 }));
  const plan = planKeys({ entries }, () => 0);
  assert.equal(plan?.fields, [{ word: 3, low: 0, bits: 2, at: 0 }]);
  assert.equal(plan?.alike.slice(0, 4), [0n, 8n, 0n, 0n]);
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
