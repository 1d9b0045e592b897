/** Codes of what is wrong with YAML of another mesh, or cannot be said in Weft. */
import type { CodeTable } from '../../compiler/diagnostic/index.js';

export const CODES: CodeTable = {
  W501: {
    title: 'object that is not imported',
    help: 'take it out of the input, and say by hand what it said',
  },
  W502: { title: 'unknown field', help: 'correct the spelling, or take it out' },
  W503: { title: 'not valid in its own dialect', help: 'the mesh that it is for refuses it too' },
  W504: {
    title: 'cannot be kept',
    help: 'say it otherwise: nothing is imported that would let through more than was written',
  },
  W505: {
    title: 'narrower than it was',
    help: 'the example is refused here, and was let through there',
  },
  W506: { title: 'too much for one import', help: 'import it in parts' },
  W507: {
    title: 'read as its mesh reads it, which may not be what was meant',
    help: 'look whether that is meant',
  },
  W508: { title: 'given twice', help: 'keep one of the two' },
  W509: { title: 'nothing to import', help: 'name files that hold objects of that kind' },
  W510: {
    title: 'done otherwise here',
    help: 'what is let through is the same; docs/import.md says what differs',
  },
  W521: {
    title: 'meshes read it differently',
    help: 'write it so that all of them read the same; the example is answered differently',
  },
  W522: {
    title: 'matches nothing in any mesh',
    help: 'say what was meant in the form that matches',
  },
};
