/**
 * Entry of the process that brings a bundle into force for an agent, and ends: what reading a world, decoding,
 * loading and testing leaves behind in memory ends with it. One message in, one out.
 */
import { openKernel } from '../kernel/index.js';
import { performTask } from './bundle-task.js';
import type { StagerAnswer, StagerJob } from './staged-bundles.js';
import { encodeFault } from './task-fault.js';

async function answer({ task, settings, paths }: StagerJob): Promise<StagerAnswer> {
  try {
    const place = {
      ...{ kernel: openKernel(), paths, env: process.env, now: () => new Date() },
      clockOffset: () => BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint(),
    };
    return { value: await performTask(task, place, settings) };
  } catch (error) {
    return { fault: encodeFault(error) };
  }
}

process.once('message', (job: StagerJob) => {
  void answer(job).then((told) => process.send?.(told, () => process.exit()));
});
