/** Codes of what can be wrong with weft.json beyond its form. */
import type { CodeTable } from '../../compiler/diagnostic/index.js';

export const CODES: CodeTable = {
  W201: {
    title: 'path outside the project',
    help: 'name a file below the folder of weft.json, with `/` and without `..`',
  },
  W202: { title: 'policy listed twice', help: 'join the two attach lists' },
  W203: {
    title: 'two policies of one name',
    help: 'give the files different names: reports name a policy by its file name',
  },
  W204: { title: 'attachment names no service', help: 'write the service as name.namespace' },
  W206: {
    title: 'kernel too old',
    help: 'Weft runs on Linux 6.1 or later: leave older kernels out of `kernels`',
  },
  W205: {
    title: 'reply too large',
    help: 'the kernel writes replies of up to 1024 bytes, head and body; shorten the body',
  },
};
