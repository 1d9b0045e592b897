export { preferFastStart, preferManyRuns } from './fast-start.js';
export { v8Snapshot } from './v8-snapshot.js';
export { SNAPSHOT_DEADLINE, wizerSnapshot } from './wizer-snapshot.js';
