/** Why an assertion of the specification does not run, by the code of what refuses it. */

/** What Weft leaves out of WebAssembly. */
export const EXCEPTIONS: Readonly<Record<string, string>> = {
  I101: 'floating point',
  I102: 'stores to statics',
  I103: 'memory.grow',
  I104: 'stores to statics',
  table: 'tables written at run time',
};
