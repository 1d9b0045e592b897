/**
 * Puts each function that a program calls at one place into that place. The kernel's compiler keeps every call, and on
 * processors whose returns go through a thunk (retbleed, SRSO) each costs some ten nanoseconds.
 *
 * Contract: the program does the same. The function's frame lies above its caller's in the one that both have then, so
 * the caller's is moved down by how deep the function's can be (frame-depth.ts); of r6 to r9 what the function writes and the
 * caller reads behind the call is kept there too. Called functions come first, so chains become one. A call stays where the function is
 * called elsewhere too, its address is taken, its depth has no bound, the frames would not fit, or it is global and the program large.
 */
import { flowOf } from './flow.js';
import { frameDepth, MAX_STACK } from './frame-depth.js';
import {
  CLASS,
  CODE,
  classOf,
  decodeProgram,
  encodeProgram,
  FRAME_POINTER,
  type Func,
  hasSourceRegister,
  type Instruction,
  instruction,
  isCallOfFunction,
  isMemory,
  type Program,
  SLOT_BYTES,
} from './instruction.js';
import { liveBehind, registersOf, written } from './live-registers.js';

/**
 * Instructions of a program into which global functions are put. The verifier goes through a global function once, and through
 * what was put in with each state of its caller: large programs (those of requests have 8,000) come to it with hundreds.
 */
export const MOST_WITH_GLOBALS = 4096;

const WORD = 8;
/** The verifier counts each frame in steps of so many bytes where it cannot know the compiler (round_up_stack_depth). */
const FRAME_STEP = 32;

interface Known {
  /** Bytes of its own frame; null where nothing bounds them. */
  depth: number | null;
  readonly isDone: boolean;
}

interface Place {
  readonly call: Instruction;
  readonly callee: Func;
  /** Registers of the caller that are kept meanwhile. */
  readonly kept: readonly number[];
  /** Bytes that the callee and they need. */
  readonly bytes: number;
}

/**
 * The program with its functions put in; null where there is nothing to gain, or nothing that could be said about it.
 * `isGlobal` tells of a type whether its function is verified by itself.
 */
export function inlineFunctions(
  program: Program,
  isGlobal: (type: number) => boolean,
): Program | null {
  const functions = decodeProgram(program);
  const [main] = functions ?? [];
  if (!functions || !main) return null;
  const isLarge = program.slots.length / SLOT_BYTES > MOST_WITH_GLOBALS;
  const once = calledOnce(functions);
  if (once.size === 0) return null;
  const known = new Map<Func, Known>();
  const gone = new Set<Func>();
  work(main);
  return gone.size === 0
    ? null
    : encodeProgram(
        functions.filter((func) => !gone.has(func)),
        program,
      );

  function work(func: Func): void {
    if (known.has(func)) return;
    known.set(func, { depth: null, isDone: false });
    const { body } = func;
    for (const each of body) if (each.callee) work(each.callee);
    const flow = flowOf(body);
    const depth = frameDepth(body, flow);
    const live = liveBehind(body, flow);
    const places: Place[] = [];
    for (const [at, call] of body.entries()) {
      const { callee } = call;
      if (!callee || !once.has(callee) || !isCallOfFunction(call)) continue;
      const { depth: below, isDone } = known.get(callee) as Known;
      if (!isDone || below === null) continue;
      if (isLarge && isGlobal(callee.type)) continue;
      const kept = registersOf((live[at] as number) & written(callee.body));
      places.push({ call, callee, kept, bytes: kept.length * WORD + below });
    }
    const fitting = thatFit(func, depth ?? 0, places);
    const shift = Math.max(0, ...fitting.map(({ bytes }) => bytes));
    if (fitting.length > 0) func.body = putIn(body, fitting, shift);
    for (const { callee } of fitting) gone.add(callee);
    known.set(func, { depth: depth === null ? null : depth + shift, isDone: true });
  }

  /** The largest go first until all frames of a chain of calls fit. */
  function thatFit(func: Func, depth: number, places: readonly Place[]): readonly Place[] {
    const left = [...places].sort((a, b) => a.bytes - b.bytes);
    for (; left.length > 0; left.pop()) {
      const chosen = new Set(left.map(({ callee }) => callee));
      const shift = (left.at(-1) as Place).bytes;
      const others = func.body.flatMap(({ callee }) =>
        callee && !chosen.has(callee) ? [chain(callee)] : [],
      );
      const inner = left.map(
        ({ callee }) => chain(callee) - inSteps(known.get(callee)?.depth ?? 0),
      );
      if (inSteps(depth + shift) + Math.max(0, ...others, ...inner) <= MAX_STACK) break;
    }
    return left;
  }

  /** Bytes of the frames from a function on. */
  function chain(func: Func): number {
    const below = func.body.flatMap(({ callee }) =>
      callee && known.get(callee)?.isDone ? [chain(callee)] : [],
    );
    return inSteps(known.get(func)?.depth ?? 0) + Math.max(0, ...below);
  }
}

function inSteps(bytes: number): number {
  return Math.ceil(Math.max(bytes, 1) / FRAME_STEP) * FRAME_STEP;
}

function calledOnce(functions: readonly Func[]): ReadonlySet<Func> {
  const calls = new Map<Func, number>();
  for (const { body } of functions)
    for (const each of body) {
      if (!each.callee) continue;
      const count = isCallOfFunction(each) ? 1 : Number.POSITIVE_INFINITY;
      calls.set(each.callee, (calls.get(each.callee) ?? 0) + count);
    }
  return new Set([...calls].filter(([, count]) => count === 1).map(([func]) => func));
}

/** The caller's body with its callees in it; its own frame begins `shift` bytes further down. */
function putIn(
  body: readonly Instruction[],
  places: readonly Place[],
  shift: number,
): Instruction[] {
  const byCall = new Map(places.map((place) => [place.call, place]));
  /** Where jumps to what is no longer there go. */
  const instead = new Map<Instruction, Instruction>();
  const result: Instruction[] = [];
  let line: Uint8Array | null = null;
  for (const [at, each] of body.entries()) {
    line = each.line ?? line;
    const place = byCall.get(each);
    if (!place) {
      result.push(...moved(each, shift));
      continue;
    }
    const inner = place.callee.body.flatMap((one) => moved(one, place.kept.length * WORD));
    const restored = place.kept.map((register, index) =>
      instruction({
        code: CODE.load64,
        target: register,
        source: FRAME_POINTER,
        offset: -WORD * (index + 1),
      }),
    );
    const kept = restored.map(({ target, offset }) =>
      instruction({ code: CODE.store64, target: FRAME_POINTER, source: target, offset }),
    );
    const behind = restored[0] ?? (body[at + 1] as Instruction);
    const last = inner.at(-1) as Instruction;
    if (last.code === CODE.exit) {
      inner.pop();
      instead.set(last, behind);
    }
    for (const one of inner)
      if (one.code === CODE.exit) Object.assign(one, { code: CODE.jump, to: behind });
    const first = kept[0] ?? inner[0] ?? behind;
    instead.set(each, first);
    first.line ??= line;
    behind.line ??= line;
    result.push(...kept, ...inner, ...restored);
  }
  for (const each of result)
    for (let to = each.to; to !== null; to = instead.get(to) ?? null) each.to = to;
  return result;
}

/** An instruction of a frame that begins `shift` bytes further down, and what has to follow it. */
function moved(each: Instruction, shift: number): Instruction[] {
  if (shift === 0) return [each];
  const base = classOf(each) === CLASS.ldx ? each.source : each.target;
  if (isMemory(each)) {
    if (base === FRAME_POINTER) each.offset -= shift;
    return [each];
  }
  const isAddress =
    classOf(each) === CLASS.alu64 && hasSourceRegister(each) && each.source === FRAME_POINTER;
  if (!isAddress) return [each];
  return [each, instruction({ code: CODE.add, target: each.target, immediate: -shift })];
}
