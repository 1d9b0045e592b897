/**
 * asc takes the `<` behind a name for the begin of type arguments, and goes back where it finds none. What it told on
 * the way stays: `port < (isAdmin ? 1024 : 80)` was refused with TS1110, "type expected", and so was every comparison
 * with a parenthesis that begins like a function's type (AssemblyScript issue 2605 has others of the kind). Here
 * findings of a way that it went back from are dropped.
 */

interface Tokenizer {
  readonly pos: number;
}
type Emit = (...finding: unknown[]) => void;
interface Parser {
  emitDiagnostic: Emit;
}
type TryTypes = (this: Parser, tokens: Tokenizer) => unknown;
interface ParserClass {
  readonly prototype: { tryParseTypeArgumentsBeforeArguments?: TryTypes };
}

const mended = new WeakSet<object>();

/** Changes asc's parser, once. */
export function mendParser({ Parser: { prototype } }: { readonly Parser: ParserClass }): void {
  const tryTypes = prototype.tryParseTypeArgumentsBeforeArguments;
  if (tryTypes === undefined || mended.has(prototype)) return;
  mended.add(prototype);
  prototype.tryParseTypeArgumentsBeforeArguments = function (tokens) {
    const { pos } = tokens;
    const emit = this.emitDiagnostic;
    const held: unknown[][] = [];
    this.emitDiagnostic = (...finding) => held.push(finding);
    let types: unknown;
    try {
      types = tryTypes.call(this, tokens);
    } finally {
      this.emitDiagnostic = emit;
    }
    const wentBack = types === null && tokens.pos === pos;
    if (!wentBack) for (const finding of held) emit.apply(this, finding);
    return types;
  };
}
