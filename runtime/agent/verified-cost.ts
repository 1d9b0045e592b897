/**
 * What the policies of a bundle cost the verifier of this kernel: joined with the test harness, loaded
 * and let go, all calls as they were built: the functions of a policy are gone through once, however they are asked.
 * Nothing is attached, pinned or run.
 */
import { release } from 'node:os';
import type { Bundle } from '../../compiler/bundle/manifest.js';
import type { Kernel } from '../kernel/index.js';
import { readObject } from './objects.js';
import { policyObject } from './policy-object.js';
import { judgesRequests } from './sockops.js';

export interface VerifiedCost {
  /** Release of the kernel that was asked. */
  readonly kernel: string;
  /** Instructions that its verifier went through, by what is judged. */
  readonly connections: number;
  readonly requests: number | null; // null: no policy judges requests
}

/** Loads the policies and asks the kernel. Throws KernelError or VerifierError, with nothing left behind. */
export function measureVerified(kernel: Kernel, bundle: Bundle): VerifiedCost {
  const policy = policyObject(kernel, bundle);
  const count = (harness: 'harness' | 'request-harness', program: string): number => {
    const parts = [
      { name: harness, bytes: readObject(harness) },
      { name: 'policy', bytes: policy },
    ];
    const bytes = kernel.link(parts);
    using object = kernel.load({ name: 'weft_cost', bytes, only: [program], asBuilt: true });
    return object.program(program).info().verifiedInstructions;
  };
  return {
    kernel: release(),
    connections: count('harness', 'weft_test_policy'),
    requests: judgesRequests(bundle.manifest)
      ? count('request-harness', 'weft_test_request')
      : null,
  };
}
