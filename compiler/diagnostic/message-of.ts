/** What a caught value says: anything can be thrown, and a message is told all the same. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
