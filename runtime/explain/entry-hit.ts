/** Which entry of a declared table or set a look-up found: what an explanation shows and coverage counts. */
import { type PartKind, WORDS_A_PART } from '../../compiler/abi/index.js';
import { type AbiCall, type PolicyEntry, ruleText, type Term } from '../../compiler/index.js';
import { formatAddress, parseAddress } from '../discovery/index.js';
import { patternMatcher } from '../simulate/index.js';
import { keyText, rangeText, type TableKind, tupleText } from './declared.js';
import { ABSENT, type ValueReader } from './read-value.js';

/** A look-up in something that the configure phase declared. */
export interface LookUp {
  readonly kind: TableKind;
  readonly index: number;
  readonly name: string;
  /** The key as a person would write it. */
  readonly key: string;
  /** The entry that answered, as it was declared; null where none did. */
  readonly entry: string | null;
}

/** The look-up that a call made; null for calls that look nothing up. */
export function lookUpOf(
  call: AbiCall,
  term: Term,
  entry: PolicyEntry,
  read: ValueReader,
): LookUp | null {
  const operand = term.args[1]?.value ?? 0n;
  switch (call.op) {
    case 'table': {
      const table = entry.tables[call.table];
      const isText = table?.keyKind === 'text';
      const key = isText ? read.symbol(operand) : BigInt.asUintN(64, operand).toString();
      const hit = table?.entries.find(([text]) =>
        isText ? JSON.stringify(text) === key : BigInt.asUintN(64, BigInt(text)).toString() === key,
      );
      const found = hit?.[0] ?? null;
      return { kind: 'table', index: call.table, name: table?.name ?? '', key, entry: found };
    }
    case 'viewTable': {
      const table = entry.tables[call.table];
      const key = read.view(operand);
      const hit = table?.entries.find(([text]) => JSON.stringify(text) === key);
      const found = hit?.[0] ?? null;
      return { kind: 'table', index: call.table, name: table?.name ?? '', key, entry: found };
    }
    case 'cidr': {
      const set = entry.cidrs[call.set];
      const key = read.address(call.side);
      const found = term.value === 0n ? null : longestPrefix(set?.prefixes ?? [], key);
      return { kind: 'cidr', index: call.set, name: set?.name ?? '', key, entry: found };
    }
    case 'ports': {
      const set = entry.ports[call.set];
      const hit = set?.ranges.find(([first, last]) => operand >= first && operand <= last);
      const found = hit === undefined ? null : rangeText(hit);
      const key = operand.toString();
      return { kind: 'ports', index: call.set, name: set?.name ?? '', key, entry: found };
    }
    case 'keys': {
      const table = entry.keys[call.table];
      const key = tupleText(keyParts(table?.kinds ?? [], term, read));
      const found = table?.entries
        .map(([parts]) => keyText(parts, table.kinds))
        .find((text) => text === key);
      return {
        kind: 'keys',
        index: call.table,
        name: table?.name ?? '',
        key,
        entry: found ?? null,
      };
    }
    case 'patterns': {
      const table = entry.patterns[call.table];
      const key = read.view(operand);
      const found = table === undefined || key === ABSENT ? null : bestPattern(table, key);
      return { kind: 'patterns', index: call.table, name: table?.name ?? '', key, entry: found };
    }
    case 'rules': {
      const list = entry.rules[call.list];
      const rule = list?.rules[read.rule(call.list, Number(operand))];
      const found = rule === undefined ? null : ruleText(rule);
      return { kind: 'rules', index: call.list, name: list?.name ?? '', key: '', entry: found };
    }
    default:
      return null;
  }
}

/** The parts of a key that is asked for, as `keyText` writes them; each is two words behind the table and the shape. */
function keyParts(kinds: readonly PartKind[], term: Term, read: ValueReader): readonly string[] {
  return kinds.map((kind, i) => {
    const [high = 0n, low = 0n] = [2, 3].map((at) => term.args[at + WORDS_A_PART * i]?.value);
    if (kind === 'text') return read.symbol(low);
    if (kind === 'integer') return BigInt.asUintN(64, low).toString();
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, BigInt.asUintN(64, high));
    view.setBigUint64(8, BigInt.asUintN(64, low));
    return formatAddress(bytes);
  });
}

/** The pattern that fits a quoted text best: the matcher answers with its number in place of its value. */
function bestPattern(table: PolicyEntry['patterns'][number], quoted: string): string | null {
  const entries = table.entries.map(([text], index) => [text, index] as const);
  const found = patternMatcher({ ...table, entries })(JSON.parse(quoted));
  return found === undefined ? null : (entries[found]?.[0] ?? null);
}

/** The longest of the blocks that hold an address. */
function longestPrefix(prefixes: readonly string[], text: string): string | null {
  const address = parseAddress(text);
  if (address === null) return null;
  let best: { readonly text: string; readonly bits: number } | null = null;
  for (const prefix of prefixes) {
    const [host = '', length] = prefix.split('/');
    const block = parseAddress(host);
    if (block === null || block.family !== address.family) continue;
    const offset = host.includes(':') ? 0 : 96;
    const bits = offset + (length === undefined ? 128 - offset : Number(length));
    if (shares(block.bytes, address.bytes, bits) && bits > (best?.bits ?? -1)) {
      best = { text: prefix, bits };
    }
  }
  return best?.text ?? null;
}

function shares(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  for (let bit = 0; bit < bits; bit++) {
    const [byte, mask] = [bit >> 3, 0x80 >> (bit & 7)];
    if ((((a[byte] ?? 0) ^ (b[byte] ?? 0)) & mask) !== 0) return false;
  }
  return true;
}
