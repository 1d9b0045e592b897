/**
 * Random policies as WASM text: integer operations of both widths, locals, loads, nested control,
 * bounded loops, br_table, calls. Deterministic in the seed.
 */
export class Random {
  private state: number;
  constructor(seed: number) {
    this.state = (seed * 2654435761 + 12345) >>> 0;
  }
  next(): number {
    // xorshift32
    let x = this.state || 1;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x >>> 0;
    return this.state;
  }
  below(n: number): number {
    return this.next() % n;
  }
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}

type T = 'i32' | 'i64';
const BINARY = 'add sub mul div_u div_s rem_u rem_s and or xor shl shr_u shr_s rotl rotr'.split(
  ' ',
);
const COMPARE = 'eq ne lt_u lt_s gt_u gt_s le_u le_s ge_u ge_s'.split(' ');
const CONSTANTS = [
  '0',
  '1',
  '2',
  '3',
  '7',
  '8',
  '31',
  '32',
  '63',
  '64',
  '255',
  '0x7f',
  '0x80',
  '0xffff',
  '0x8000',
  '0x7fffffff',
  '0x80000000',
  '-1',
  '-2',
  '100',
  '65500',
  '65536',
];

class Generator {
  private readonly random: Random;
  private depth = 0;
  private labels = 0;
  private loops = 0;
  /** Whether code has objects `$p0` to `$p2`; `other` where they are only elsewhere in the module. */
  private readonly objects: boolean | 'other';
  constructor(random: Random, objects: boolean | 'other') {
    this.random = random;
    this.objects = objects;
  }
  private object(): string {
    return `offset=${this.random.pick([0, 1, 4, 6, 8])} (local.get $p${this.random.below(3)})`;
  }
  private store(): string {
    const { random } = this;
    if (random.below(12) === 0) {
      const size = random.below(20);
      return random.below(2) === 0
        ? `(memory.fill (local.get $p${random.below(3)}) ${this.value('i32')} (i32.const ${size}))`
        : `(memory.copy (local.get $p${random.below(3)}) (local.get $p${random.below(3)}) (i32.const ${size}))`;
    }
    const type = random.pick(['i32', 'i64'] as const);
    const size = random.pick(type === 'i32' ? ['', '8', '16'] : ['', '8', '16', '32']);
    return `(${type}.store${size} ${this.object()} ${this.value(type)})`;
  }

  value(type: T): string {
    const { random } = this;
    this.depth += 1;
    const leaf = this.depth > 5 || random.below(4) === 0;
    const text = leaf ? this.leaf(type) : this.inner(type);
    this.depth -= 1;
    return text;
  }
  private leaf(type: T): string {
    const { random } = this;
    if (random.below(3) === 0) return `(${type}.const ${random.pick(CONSTANTS)})`;
    if (type === 'i64')
      return random.below(4) === 0 ? '(call $now)' : `(local.get $b${random.below(3)})`;
    if (random.below(4) === 0)
      return random.pick([
        '(call $port)',
        '(call $family)',
        '(call $attribute (i32.const 0) (i32.const 1))',
      ]);
    return `(local.get $a${random.below(3)})`;
  }
  private inner(type: T): string {
    const { random } = this;
    const v = (t: T): string => this.value(t);
    switch (random.below(12)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return `(${type}.${random.pick(BINARY)} ${v(type)} ${v(type)})`;
      case 4:
        return `(${type}.${random.pick(['clz', 'ctz', 'popcnt', 'extend8_s', 'extend16_s'])} ${v(type)})`;
      case 5: {
        const of = random.pick(['i32', 'i64'] as const);
        const compare = `(${of}.${random.pick(COMPARE)} ${v(of)} ${v(of)})`;
        return type === 'i32' ? compare : `(i64.extend_i32_u ${compare})`;
      }
      case 6:
        if (type === 'i32') return `(i32.wrap_i64 ${v('i64')})`;
        return `(i64.extend_i32_${random.pick(['u', 's'])} ${v('i32')})`;
      case 7:
        return `(select ${v(type)} ${v(type)} ${v('i32')})`;
      case 8: {
        const sizes =
          type === 'i32'
            ? ['', '8_u', '8_s', '16_u', '16_s']
            : ['', '8_u', '8_s', '16_s', '32_u', '32_s'];
        if (this.objects === true && random.below(3) !== 0) {
          return `(${type}.load${random.pick(sizes)} ${this.object()})`;
        }
        // Where objects are, nothing else may be read by chance: that is refused.
        const address =
          this.objects === false && random.below(3) === 0
            ? v('i32')
            : `(i32.and ${v('i32')} (i32.const 255))`;
        return `(${type}.load${random.pick(sizes)} offset=${random.pick([0, 1, 8, 60000])} ${address})`;
      }
      case 9:
        return `(if (result ${type}) ${v('i32')} (then ${v(type)}) (else ${v(type)}))`;
      case 10: {
        const of = random.pick(['i32', 'i64'] as const);
        if (type === 'i32') return `(${of}.eqz ${v(of)})`;
        return `(call $wide ${v('i64')} ${v('i32')} ${v('i32')} ${v('i64')})`;
      }
      default:
        return type === 'i32'
          ? `(call $help ${v('i32')} ${v('i64')})`
          : `(i64.extend32_s ${v('i64')})`;
    }
  }

  statements(count: number, labels: readonly string[]): string {
    return Array.from({ length: count }, () => this.statement(labels)).join('\n');
  }
  private set(): string {
    const type = this.random.pick(['i32', 'i64'] as const);
    return `(local.set $${type === 'i32' ? 'a' : 'b'}${this.random.below(3)} ${this.value(type)})`;
  }
  private statement(labels: readonly string[]): string {
    if (this.depth > 3) return this.set();
    this.depth += 1;
    const text = this.nested(labels);
    this.depth -= 1;
    return text;
  }
  private nested(labels: readonly string[]): string {
    const { random } = this;
    if (this.objects === true && random.below(3) === 0) return this.store();
    const label = `$l${this.labels++}`;
    switch (random.below(9)) {
      case 0:
        return `(if ${this.value('i32')} (then ${this.statements(2, labels)}) (else ${this.statements(1, labels)}))`;
      case 1:
        return `(block ${label} ${this.statements(3, [...labels, label])})`;
      case 2:
        return labels.length === 0
          ? this.set()
          : `(br_if ${random.pick(labels)} ${this.value('i32')})`;
      case 3: {
        const [x, y] = [`${label}x`, `${label}y`];
        return `(block ${label} (block ${x} (block ${y} (br_table ${label} ${x} ${y} ${x} ${this.value('i32')})) ${this.statements(1, labels)}) ${this.statements(1, labels)})`;
      }
      case 4: {
        if (this.loops > 2) return this.set();
        this.loops += 1;
        const counter = `$i${this.loops - 1}`;
        const body = this.statements(2, [...labels]);
        const next = `(local.tee ${counter} (i32.add (local.get ${counter}) (i32.const 1)))`;
        const stop =
          random.below(3) === 0
            ? `(i32.and ${this.value('i32')} (i32.const 31))`
            : `(i32.const ${random.below(9)})`;
        return `(loop ${label} ${body} (br_if ${label} (i32.lt_u ${next} ${stop})))`;
      }
      case 5:
        return random.below(4) === 0
          ? `(if ${this.value('i32')} (then (return ${this.value('i32')})))`
          : this.set();
      default:
        return this.set();
    }
  }
  body(size: number): string {
    return `${this.statements(size, [])} ${this.value('i32')}`;
  }
}

const LOCALS =
  '(local $a0 i32) (local $a1 i32) (local $a2 i32) (local $b0 i64) (local $b1 i64) (local $b2 i64) (local $i0 i32) (local $i1 i32) (local $i2 i32)';

/** Where objects begin, and the global that knows where the next one does. */
export const SCRATCH = { globals: [0], from: 61000 } as const;
const ALLOCATOR = `(global $heap (mut i32) (i32.const ${SCRATCH.from}))
    (func $new (param $n i32) (result i32) (local $at i32)
      (local.set $at (global.get $heap)) (global.set $heap (i32.add (local.get $at) (local.get $n)))
      (memory.fill (local.get $at) (i32.const 0) (local.get $n)) (local.get $at))`;
const OBJECTS =
  '(local $p0 i32) (local $p1 i32) (local $p2 i32) (local.set $p0 (call $new (i32.const 12))) (local.set $p1 (call $new (i32.const 16))) (local.set $p2 (call $new (i32.const 9)))';

/** One module that exports `authorizeConnection`; with `objects` it also makes and changes some. */
export function generateWasm(seed: number, objects = false): string {
  const random = new Random(seed);
  const main = new Generator(random, objects).body(2 + random.below(5));
  const help = new Generator(random, objects && 'other')
    .body(random.below(3))
    .replaceAll('call $help', 'call $other')
    .replaceAll('call $wide', 'call $plain');
  const params = '(local.set $a0 (local.get $p)) (local.set $b0 (local.get $q))';
  return `(module
    (import "weft" "destination_port" (func $port (result i32)))
    (import "weft" "family" (func $family (result i32)))
    (import "weft" "now" (func $now (result i64)))
    (import "weft" "attribute" (func $attribute (param i32 i32) (result i32)))
    (memory 1) (data (i32.const 0) "weft\\80\\ff\\00\\01policies are code") (data (i32.const 200) "\\ff\\7f\\80\\00\\c8")
    (func $other (param $x i32) (param $y i64) (result i32) (i32.add (local.get $x) (i32.wrap_i64 (local.get $y))))
    (func $plain (param i64 i32 i32 i64) (result i64) (i64.xor (local.get 0) (i64.div_s (local.get 3) (i64.extend_i32_s (i32.or (local.get 1) (local.get 2))))))
    (func $wide (param i64 i32 i32 i64) (result i64) (if (local.get 1) (then (return (local.get 0)))) (i64.sub (local.get 3) (i64.extend_i32_u (local.get 2))))
    ${objects ? ALLOCATOR : ''}
    (func $help (param $p i32) (param $q i64) (result i32) ${LOCALS} ${params} ${help})
    (func (export "authorizeConnection") (param $c i32) (result i32) ${LOCALS} ${objects ? OBJECTS : ''} ${main}))`;
}
