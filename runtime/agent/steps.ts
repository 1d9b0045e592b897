/**
 * The steps of a change of the node, by name, in order. Whoever watches is told behind each of them;
 * tests end the process there, and see that the next change finds a node that runs the old bundle or the new one.
 */

/** Of a load. Up to `recorded` the generation before decides, from `activated` on the new one. */
export const LOAD_STEPS = [
  'admitted', // the trust policy accepts the bundle
  'staged', // maps made and filled, programs loaded
  'checked', // the cases that travel in the bundle are answered as they expect
  'pinned', // they outlive this process
  'kept', // bundle and world lie beside the state document, where requests are judged
  'slotted', // the hooks can jump into the programs
  'followed', // sockops is attached where it is needed
  'recorded', // the state document names the generation
  'laid', // the bundle lies where a restart finds it
  'activated', // the one write
  'saved', // a restart finds that this is the one that runs
  'noted', // older versions are refused from now on
  'judged', // open connections are judged again
  'pruned', // what is not kept any more is gone
] as const;
/** Of a way back. */
export const ROLLBACK_STEPS = ['checked', 'recorded', 'activated', 'saved', 'judged'] as const;

export type LoadStep = (typeof LOAD_STEPS)[number];
export type RollbackStep = (typeof ROLLBACK_STEPS)[number];
