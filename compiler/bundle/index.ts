export { canonicalJson } from './canonical-json.js';
export { type CaseFile, type CaseLayer, caseCount, type TravellingCase } from './cases.js';
export { CODES as BUNDLE_CODES } from './codes.js';
export {
  type CombineRules,
  combine,
  combineRoutes,
  type Decision,
  type PolicyAnswer,
  type RouteAnswer,
  reasonNumber,
} from './combine.js';
export { decodeBundle, readArchive } from './decode.js';
export { type DecodeOutcome, decodeImage } from './decode-image.js';
export { bundleDigest, encodeArchive, encodeBundle, encodeImage } from './encode.js';
export { isDigest, tagOf } from './image-manifest.js';
export {
  MAX_BLOB_BYTES,
  MAX_BUNDLE_BYTES,
  MAX_CASE_WORLDS,
  MAX_CASES,
  MAX_CASES_BYTES,
  MAX_IMAGE_MANIFEST_BYTES,
} from './limits.js';
export type {
  Attachment,
  Bundle,
  FunctionCost,
  Manifest,
  ManifestRoute,
  Outcome,
  PolicyEntry,
  RuleEntry,
} from './manifest.js';
export {
  digestOf,
  type Image,
  MEDIA_TYPE,
  OCI_INDEX_FILE,
  OCI_LAYOUT,
  OCI_LAYOUT_FILE,
  REF_NAME,
} from './oci.js';
export { knowLayout, type Located, readImage, readLayout } from './read-image.js';
export { field } from './refusal.js';
export { sbomOf } from './sbom.js';
