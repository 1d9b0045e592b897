/** Diagnostics of the room `bundle`: reading an archive, and what a project may hold. */
import type { CodeTable } from '../diagnostic/index.js';

export const CODES: CodeTable = {
  B101: {
    title: 'not a bundle archive',
    help: 'a bundle is the tar file that `weft build --out FILE` writes',
  },
  B102: {
    title: 'bundle is cut off or incomplete',
    help: 'copy or build the bundle again; the archive ends early or lacks a blob',
  },
  B103: {
    title: 'digest does not match',
    help: 'the bundle was altered after it was built; fetch or build it again',
  },
  B104: {
    title: 'unknown bundle format',
    help: 'the bundle was built by another version of weft; build it with this one',
  },
  B105: {
    title: 'damaged manifest',
    help: 'the manifest is not what weft writes; build the bundle again',
  },
  B106: {
    title: 'bundle is too large',
    help: 'nothing of it was read; the limits stand in docs/limits.md',
  },
  B201: {
    title: 'too many policies',
    help: 'a bundle has 128 at most; merge some files: what is attached to the same targets can be one policy',
  },
  B202: {
    title: 'policy names collide',
    help: 'a policy is named by its file name without `.ts`; rename one of the files',
  },
  B204: {
    title: 'too many routes',
    help: 'route numbers have 16 bits; declare fewer routes',
  },
  B206: {
    title: 'over the instruction budget',
    help: 'simplify the policy, use tables, or raise `budget.instructions` in weft.json',
  },
  B207: {
    title: 'over the table budget',
    help: 'make the tables smaller, or raise `budget.tableBytes` in weft.json',
  },
  B208: {
    title: 'a route that a connection cannot take',
    help: 'a connection has no request to answer or change: answer with it in `routeRequest`',
  },
  B209: {
    title: 'over the verifier budget',
    help: 'make loops shorter or fewer, simplify the policy, or raise `budget.verified` in weft.json',
  },
  B210: {
    title: 'loops that kernels before 6.9 cannot verify',
    help: 'keep fewer values from one turn to the next, end the loop by a counter and a constant, or lower `budget.fuel` in weft.json',
  },
  B212: {
    title: 'cases that cannot travel',
    help: 'name fewer files or cases in `selfTest` of weft.json; the limits stand in docs/limits.md',
  },
  B211: {
    title: 'more than verifiers walk',
    help: 'make loops shorter or fewer, or spread the policies over several bundles',
  },
  B213: {
    title: 'more functions than a program has room for',
    help: 'make policies smaller, so that they become part of the function that joins them, or write several as one',
  },
};
