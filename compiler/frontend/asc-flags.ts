/** The flags of asc, for policies and for files of tests. */
import type { AscEffort } from './types.js';

/**
 * How policies are compiled by asc. asconfig.json at the root holds the same flags for people who
 * run asc themselves; a test compares the two.
 */
export const ASC_OPTIONS: Readonly<Record<string, string | number | boolean | readonly string[]>> =
  {
    runtime: 'stub',
    exportStart: 'configure',
    maximumMemory: 4096, // pages: 256 MiB for the configure phase
    optimizeLevel: 3,
    shrinkLevel: 0,
    debug: true,
    sourceMap: true,
    lib: ['weft-sdk'],
  };

/** Removes the import of abort: a throw is a plain trap. */
export const ASC_NO_ABORT: readonly string[] = ['abort='];

/** Level 3 takes more than proportional time; the compiler's own passes come behind it. */
const LEVEL: Readonly<Record<AscEffort, object>> = {
  full: {},
  little: { optimizeLevel: 1 },
  none: { optimizeLevel: 0 },
};

/** The options as words of asc's command line. */
export function ascFlags({
  keepAbort,
  effort,
}: {
  readonly keepAbort: boolean;
  readonly effort: AscEffort;
}): string[] {
  const options: [string, string | number | boolean | readonly string[]][] = Object.entries({
    ...ASC_OPTIONS,
    ...LEVEL[effort],
  });
  if (!keepAbort) options.push(['use', ASC_NO_ABORT]);
  return options.flatMap(([name, value]) => {
    if (typeof value === 'boolean') return value ? [`--${name}`] : [];
    return [`--${name}`, Array.isArray(value) ? value.join(',') : String(value)];
  });
}

/** How files of tests are compiled: not optimised, with a garbage collector, throws as calls of abort. */
export const ASC_TEST_FLAGS: readonly string[] = [
  ...['--runtime', 'incremental', '--exportStart', 'configure', '--exportRuntime'],
  ...['--debug', '--sourceMap', '--lib', 'weft-sdk'],
];
