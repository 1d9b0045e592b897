export { type BlockDecider, batchDecider, createBlockDecider } from './block-decider.js';
export { CODES as RECORD_CODES } from './codes.js';
export { COLUMN, isSameRow, ROUTE_KINDS } from './columns.js';
export {
  type DecideStreamOptions,
  decideLines,
  decideRecords,
  type SourceBatch,
} from './decide-stream.js';
export type { DecidedBatch } from './decided-batch.js';
export { FaultList, MAX_FAULTS } from './fault-list.js';
export { INPUT_FORMATS, type InputFormat, inputFormat, SNIFFED_BYTES } from './input-format.js';
export { lineBlocks, MAX_LINE_BYTES } from './line-blocks.js';
export { type ParsedLines, parseLines } from './parse-lines.js';
export { readEnvoy } from './read-envoy.js';
export { readHar } from './read-har.js';
export { readPcap } from './read-pcap.js';
export {
  createRecordDecider,
  type RecordDecider,
  type RecordDeciderOptions,
} from './record-decider.js';
export { recordInput, recordTime, timeText } from './record-input.js';
export { recordOfEvent, type SeenEvent } from './record-of-event.js';
export { REDACTED, redactor } from './redact.js';
export type {
  RecordBatch,
  RecordedDecision,
  RecordedRequest,
  TrafficRecord,
} from './types.js';
export { type Difference, differencesOf } from './verify.js';
export { recordLine } from './write-record.js';
