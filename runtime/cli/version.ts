export { VERSION } from '../agent/version.js';

/** Version of every JSON document that the program prints. */
export const SCHEMA_VERSION = 1;
