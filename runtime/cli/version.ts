/** Version of the program; a test holds it against package.json. */
export const VERSION = '0.1.0';
/** Version of every JSON document that the program prints. */
export const SCHEMA_VERSION = 1;
