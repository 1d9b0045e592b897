export { type Claim, type ClaimResult, checkClaims } from './check-claims.js';
export {
  type ChangedSet,
  type Comparison,
  compareBundles,
  type Undecided,
} from './compare-bundles.js';
export type { Example } from './example.js';
export type { FieldWords } from './words.js';
