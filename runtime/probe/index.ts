export {
  describeEvent,
  type EventContext,
  type EventNames,
  type EventParty,
  type EventRecord,
  type RawEvent,
} from './describe-event.js';
