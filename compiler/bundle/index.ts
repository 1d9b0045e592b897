export { canonicalJson } from './canonical-json.js';
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
export { type DecodeOutcome, decodeBundle } from './decode.js';
export { bundleDigest, encodeBundle } from './encode.js';
export type {
  Attachment,
  Bundle,
  FunctionCost,
  Manifest,
  ManifestRoute,
  Outcome,
  PolicyEntry,
} from './manifest.js';
