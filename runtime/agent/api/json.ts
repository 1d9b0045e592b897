/** JSON as every answer of Weft is written: numbers that JSON lacks become the nearest thing it has. */

/** JSON has no bigint: numbers where exact, text where not. */
export function jsonValue(_key: string, value: unknown): unknown {
  if (typeof value !== 'bigint') return value;
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString();
}

/** One line of JSON, keys in the order given. */
export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value, jsonValue)}\n`;
}
