export { CODES as SCHEMA_CODES } from './codes.js';
export { isoMilliseconds } from './iso-time.js';
export { didYouMean, nearest } from './nearest.js';
export {
  type DocumentPath,
  type DocumentRead,
  MAX_ALIASES,
  MAX_DOCUMENT_CHARACTERS,
  readDocument,
  type SchemaName,
  yamlSentence,
} from './read-document.js';
export { isRecord, recordFaults } from './record-line.js';
export { isRollout } from './rollout-value.js';
export { MAX_DEPTH, NestedTooDeeply, yamlDocuments } from './yaml-documents.js';
