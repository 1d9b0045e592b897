export {
  describeEvent,
  type EventContext,
  type EventNames,
  type EventParty,
  type EventRecord,
} from './describe-event.js';
export type { KernelEvent } from './kernel-event.js';
