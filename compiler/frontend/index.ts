export { ASC_NO_ABORT, ASC_OPTIONS } from './asc-flags.js';
export { CODES } from './codes.js';
export { compileFrontend } from './compile-frontend.js';
export { parseCidr } from './parse-cidr.js';
export {
  isSnapshotError,
  SnapshotError,
  type SnapshotErrorDetail,
  type SnapshotFailure,
} from './snapshot-error.js';
export type {
  AscEffort,
  CidrDeclaration,
  FrontendOptions,
  FrontendOutcome,
  FrontendResult,
  Registry,
  RouteDeclaration,
  Site,
  Snapshot,
  Snapshotter,
  SourceReader,
  StepTimer,
  TableDeclaration,
  TableKey,
} from './types.js';
export {
  encodeName,
  encodeU32,
  readModule,
  SECTION,
  type Section,
  splitSections,
  withSection,
  writeSections,
} from './wasm/index.js';
