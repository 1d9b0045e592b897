/**
 * What asc finds inside of a library, such as ERROR() of the SDK, has the place within the library. An author can only
 * change the call that led there: here such findings get, as their related range, the expression of the policy that
 * asc was compiling. Generic and inlined functions are compiled where they are called, so that it is the call.
 */

interface Range {
  readonly source: { readonly normalizedPath: string };
}
interface Expression {
  readonly range: Range;
}
type CompileExpression = (this: object, node: Expression, ...rest: unknown[]) => unknown;
type Emit = (
  this: object,
  code: number,
  category: number,
  range: Range | null,
  related: Range | null,
  ...words: unknown[]
) => void;
interface CompilerClass {
  readonly prototype: { compileExpression?: CompileExpression };
}

const traced = new WeakSet<object>();

function isLibrary(range: Range): boolean {
  return range.source.normalizedPath.startsWith('~lib/');
}

/** Changes asc's compiler, once. */
export function traceCalls({ Compiler }: { readonly Compiler: CompilerClass }): void {
  const { prototype } = Compiler;
  const emitter = Object.getPrototypeOf(prototype) as { emitDiagnostic?: Emit };
  const { compileExpression } = prototype;
  const { emitDiagnostic } = emitter;
  if (compileExpression === undefined || emitDiagnostic === undefined) return;
  if (traced.has(prototype)) return;
  traced.add(prototype);
  // Of the compiler at work: asc compiles one program at a time, without waiting for anything.
  let own: Range | null = null;
  prototype.compileExpression = function (node, ...rest) {
    const before = own;
    if (!isLibrary(node.range)) own = node.range;
    try {
      return compileExpression.call(this, node, ...rest);
    } finally {
      own = before;
    }
  };
  emitter.emitDiagnostic = function (code, category, range, related, ...words) {
    const isInside = range !== null && isLibrary(range);
    const isUntold = related === null || isLibrary(related);
    const at = isInside && isUntold && own !== null ? own : related;
    emitDiagnostic.call(this, code, category, range, at, ...words);
  };
}
