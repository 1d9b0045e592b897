/** Where a test is declared, by its name: asc keeps no places of a file's top level. */

const LITERAL = /"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|`((?:[^`\\]|\\.)*)`/g;

/** What is written out of a name that is put together: `"computed " + i.toString()`, `` `computed ${i}` ``. */
function writtenParts(line: string): string[] {
  const [, argument = ''] = /\btest\(\s*(.*?)\s*(?:,\s*\(|$)/.exec(line) ?? [];
  return [...argument.matchAll(LITERAL)]
    .flatMap(([, a, b, template = '']) => [a ?? b ?? '', ...template.split(/\$\{[^}]*\}/)])
    .filter((part) => part !== '');
}

/** How many letters of a name are written out in a line, in this order; 0 where something else is. */
function likeness(line: string, name: string): number {
  const parts = writtenParts(line);
  let at = 0;
  for (const part of parts) {
    const found = name.indexOf(part, at);
    if (found < 0) return 0;
    at = found + part.length;
  }
  return parts.join('').length;
}

/** The line with the name; of one that is put together, the line with the most of it; 1 where there is none. */
export function lineOfTest(source: string, name: string): number {
  const lines = source.split('\n');
  const whole = lines.findIndex((line) => line.includes(name));
  if (whole >= 0) return whole + 1;
  const like = lines.map((line) => likeness(line, name));
  return Math.max(0, like.indexOf(Math.max(1, ...like))) + 1;
}
