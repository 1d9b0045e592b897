export { BASE_BITS, BUCKETS_A_NODE, COUNT_BITS, type SpansPlan } from './cidr-spans.js';
export { NO, type TriePlan, YES } from './cidr-trie.js';
export { CODES as TABLE_CODES } from './codes.js';
export {
  CHAIN_ENTRIES,
  CHAIN_PREFIXES,
  CHAIN_RANGES,
  MAX_PATTERNS,
  MAX_PROBES,
  MAX_REGEX_ENTRIES,
  MAX_REGEX_PLACES,
  MAX_REGEX_STATES,
  MAX_REGEX_TABLES,
  MAX_RULE_BOXES,
  MAX_SET_PREFIXES,
  MAX_TABLE_ENTRIES,
  MAX_TRANSITIONS,
} from './limits.js';
export {
  buildPerfectHash,
  type HashPlan,
  type HashShape,
  mix,
  rotate,
  SECOND_MULTIPLIER,
  slotOfHash,
  stepShift,
} from './perfect-hash.js';
export {
  type CidrChain,
  type CidrPlan,
  type CidrPrefix,
  type FamilyPlan,
  MAPPED_BITS,
  maskByte,
  planCidr,
} from './plan-cidr.js';
export {
  DENSE_BYTES,
  DENSE_SHIFT,
  type ExactEntry,
  type ExactPlan,
  exactEntries,
  planExact,
} from './plan-exact.js';
export {
  alikeMask,
  FOLD_MULTIPLIER,
  type FoldedKeys,
  foldWords,
  KEY_WORDS,
  type KeyField,
  type KeysPlan,
  keyWords,
  packWords,
  planKeys,
} from './plan-keys.js';
export {
  HOST_STATE,
  type HostPlan,
  type PathPlan,
  type PatternPlan,
  planPatterns,
  STATE_BYTES,
} from './plan-patterns.js';
export { PORTS, type PortsPlan, planPorts } from './plan-ports.js';
export { CLASS_BYTES, NO_BYTE, planRegexes, type RegexPlan } from './plan-regexes.js';
export {
  type AddressColumn,
  BUCKET_COUNT_BITS,
  FORMS,
  factorOf,
  isHashed,
  MASK_BYTES,
  maskOf,
  type PlacedProbe,
  planRules,
  type RulesPlan,
  SLOT_BYTES,
} from './plan-rules.js';
export { planTables, type TablePlans, type TableUses } from './plan-tables.js';
export { KEY_HEADER_BYTES, planViews, type ViewPlan } from './plan-views.js';
export {
  familyOf,
  type Prefix,
  referenceContains,
  referencePorts,
  referenceRule,
  referenceTable,
} from './reference.js';
export { type IdField, PLUS_ONE } from './rule-boxes.js';
export {
  buildTextHash,
  LENGTH_BITS,
  STATE_MULTIPLIER,
  TEXT_HEADER_BYTES,
  type TextHashPlan,
  textKey,
} from './text-hash.js';
