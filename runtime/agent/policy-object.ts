import { MAY_GOTO_KERNEL, needsWalkedLoops } from '../../compiler/abi/index.js';
import type { Bundle } from '../../compiler/bundle/manifest.js';
import type { Kernel } from '../kernel/index.js';
import { AgentError } from './agent-error.js';

/** The form of a bundle's policies that this kernel takes. Throws A006 where the bundle has none for it. */
export function policyObject(
  kernel: Pick<Kernel, 'hasMayGoto'>,
  { manifest, objects }: Pick<Bundle, 'manifest' | 'objects'>,
): Uint8Array {
  if (kernel.hasMayGoto()) return objects.mayGoto;
  if (needsWalkedLoops(manifest.kernels)) return objects.base;
  const message = `the bundle is for kernels ${manifest.kernels.join(', ')}, this one is older than ${MAY_GOTO_KERNEL}`;
  throw new AgentError(
    'A006',
    message,
    'add this kernel to `kernels` in weft.json, and build again',
  );
}
