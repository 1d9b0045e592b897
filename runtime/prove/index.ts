export { type Claim, type ClaimResult, checkClaims } from './check-claims.js';
export { CODES as PROVE_CODES } from './codes.js';
export {
  type ChangedSet,
  type Comparison,
  compareBundles,
  type Undecided,
} from './compare-bundles.js';
export type { RoutedSet } from './compare-routes.js';
export type { Example } from './example.js';
export { lintRules } from './lint-rules.js';
export { lintTables } from './lint-tables.js';
export { sarifReport } from './sarif.js';
export { suppress } from './suppressions.js';
export type { FieldWords } from './words.js';
