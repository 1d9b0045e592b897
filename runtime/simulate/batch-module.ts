/**
 * The WASM module that decides recorded traffic by the block (bpf/batch): its functions, and room in its
 * memory. It keeps what it is given until it is dropped.
 */
import { BugError } from '../../compiler/diagnostic/index.js';
import { readHttpModule } from '../http/index.js';
import { startModule, type WasmTable } from './web-assembly.js';

/** What the module calls: WASM cannot know texts, the world, or policies that write. */
export interface BatchImports {
  readonly learn_text: (policy: number, slot: number, address: number) => void;
  readonly learn_pattern: (policy: number, slot: number) => void;
  readonly predicate: (policy: number, kind: number, symbol: number, text: number) => number;
  readonly learn_ends: (number: number, ...texts: number[]) => void;
  readonly ask: (policy: number, hook: number) => number;
}

/** Functions of bpf/batch/module.c, by their names there. */
export interface BatchExports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly __indirect_function_table: WasmTable;
  readonly __stack_pointer: { value: number };
  readonly __heap_base: { readonly value: number };
  names(): number;
  columns(): number;
  setup(seed: number, time: bigint, fuel: number, isAllowed: number): void;
  set_kind(side: number, kind: number, slot: number): void;
  set_policy(
    number: number,
    isEnforced: number,
    allowsConnection: number,
    allowsRequest: number,
    firstRoute: number,
    routes: number,
  ): void;
  set_question(policy: number, hook: number, table: number): void;
  set_fuel(policy: number, fill: number, left: number): void;
  burn(fuel: number): void;
  set_text(policy: number, slot: number, at: number, length: number, ...facts: number[]): void;
  set_pattern(policy: number, slot: number, at: number): void;
  set_plan(...places: number[]): void;
  endpoint_bytes(): number;
  cluster_bytes(): number;
  workload_bytes(): number;
  set_endpoint(number: number, port: number, workload: number, isHttp: number): number;
  set_cluster(number: number, ...ranges: number[]): void;
  set_workload(number: number, ...policies: bigint[]): number;
  set_route(number: number, cluster: number, kind: number): void;
  set_ends(
    number: number,
    source: number,
    service: number,
    cluster: number,
    requestCluster: number,
    destination: number,
    port: number,
    protocol: number,
    family: number,
    isHttp: number,
    ...policies: bigint[]
  ): void;
  set_bound(number: number, port: number): void;
  ends_source(number: number): number;
  ends_to(number: number): number;
  ends_bound(number: number): number;
  ends_full(): number;
  forget_ends(): void;
  read(block: number, length: number, from: number, firstLine: number, ...room: number[]): number;
  decide(lines: number, from: number, count: number, rows: number): void;
  at(): number;
  current(): number;
  have(): number;
}

const PAGE = 65536;
const ALIGN = 16;

export class BatchModule {
  readonly call: BatchExports;
  private next: number;
  private viewed: ArrayBuffer = new ArrayBuffer(0);
  private bytesOf: Uint8Array = new Uint8Array(0);
  private viewOf: DataView = new DataView(new ArrayBuffer(0));

  constructor(imports: BatchImports) {
    const exports = startModule(readHttpModule('batch'), { batch: imports });
    this.call = exports as unknown as BatchExports;
    this.next = this.call.__heap_base.value;
  }

  private refresh(): void {
    const { buffer } = this.call.memory;
    if (buffer === this.viewed) return;
    this.viewed = buffer;
    this.bytesOf = new Uint8Array(buffer);
    this.viewOf = new DataView(buffer);
  }

  /** Its memory, until it grows. */
  get bytes(): Uint8Array {
    this.refresh();
    return this.bytesOf;
  }

  get view(): DataView {
    this.refresh();
    return this.viewOf;
  }

  /** Words of its memory. */
  words(at: number, count: number): Int32Array {
    return new Int32Array(this.call.memory.buffer, at, count);
  }

  /** Room of zeros, and 16 bytes more. */
  room(bytes: number): number {
    const at = Math.ceil(this.next / ALIGN) * ALIGN;
    this.next = at + bytes + ALIGN;
    const missing = Math.ceil((this.next - this.call.memory.buffer.byteLength) / PAGE);
    if (missing > 0) this.call.memory.grow(missing);
    return at;
  }

  /** Puts bytes into new room. */
  put(bytes: Uint8Array): number {
    const at = this.room(bytes.length);
    this.bytes.set(bytes, at);
    return at;
  }

  /** Number of a WASM function in the table of those that the module calls. */
  enter(found: unknown): number {
    if (typeof found !== 'function') throw new BugError('what a policy exports is no function');
    const table = this.call.__indirect_function_table;
    const at = table.grow(1);
    table.set(at, found);
    return at;
  }

  /** ASCII text at a place. */
  text(at: number, length: number): string {
    return Buffer.from(this.call.memory.buffer, at, length).toString('latin1');
  }
}
