/** The greatest unsigned value that an instruction can yield, as far as it is easily known. */
import { type Instr, maskOf, type ValueId } from '../ir/index.js';

const ABI_MOST: Readonly<Record<string, bigint>> = {
  destination_port: 0xffffn,
  protocol: 0xffn,
  family: 6n,
  text_starts_with: 1n,
  text_ends_with: 1n,
  text_contains: 1n,
  table_has: 1n,
  key_has: 1n,
  rules_has: 1n,
  cidr_contains: 1n,
  ports_contain: 1n,
  view_is: 1n,
  view_is_ignoring_case: 1n,
  view_starts_with: 1n,
  view_ends_with: 1n,
  view_starts_with_ignoring_case: 1n,
  view_matches: 1n,
  view_ends_with_ignoring_case: 1n,
  view_table_has: 1n,
  view_pattern_has: 1n,
};

function least(a: bigint, b: bigint): bigint {
  if (a < b) return a;
  return b;
}
function greatest(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}

/** All ones below the highest bit that either has. */
function ones(a: bigint, b: bigint): bigint {
  return (1n << BigInt(greatest(a, b).toString(2).length)) - 1n;
}

/** Greatest value of `instr`, given those of its operands, and those that are constants. */
export function mostOf(
  instr: Instr,
  most: (value: ValueId) => bigint,
  constant: (value: ValueId) => bigint | null,
): bigint {
  const all = maskOf(instr.type);
  const cap = (value: bigint): bigint => least(value, all);
  switch (instr.op) {
    case 'const':
      return instr.value;
    case 'compare':
      return 1n;
    case 'load.image':
    case 'load.head':
    case 'load.pointer':
      return (1n << BigInt(8 * instr.size)) - 1n;
    case 'load.memory':
      return instr.signed ? all : (1n << BigInt(8 * instr.size)) - 1n;
    case 'extend_u':
      return most(instr.args[0]);
    case 'wrap':
      return cap(most(instr.args[0]));
    case 'launder':
      return most(instr.args[0]);
    case 'select': {
      return greatest(most(instr.args[1]), most(instr.args[2]));
    }
    case 'abi':
      return ABI_MOST[instr.name] ?? all;
    case 'unary':
      if (instr.kind === 'clz' || instr.kind === 'ctz' || instr.kind === 'popcnt') return 64n;
      if (instr.kind === 'bswap16') return 0xffffn;
      if (instr.kind === 'bswap32') return 0xffffffffn;
      return all;
    case 'binary': {
      const [a, b] = [most(instr.args[0]), most(instr.args[1])];
      switch (instr.kind) {
        case 'and':
          return least(a, b);
        case 'or':
        case 'xor':
          return cap(ones(a, b));
        case 'add':
          return cap(a + b);
        case 'mul':
          return cap(a * b);
        case 'shl':
          return b < 64n && a << b <= all ? a << b : all;
        case 'div_u':
          return a / greatest(constant(instr.args[1]) ?? 1n, 1n);
        case 'shr_u':
          return a >> BigInt.asUintN(instr.type === 'i32' ? 5 : 6, constant(instr.args[1]) ?? 0n);
        case 'rem_u':
          return b === 0n ? a : least(a, b - 1n);
        default:
          return all;
      }
    }
    default:
      return all;
  }
}
