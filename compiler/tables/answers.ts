/** Numbers of distinct values, from 1: what look-ups go to before a value is loaded. Number 0 is none. */
export class Answers {
  readonly values: number[] = [0];
  readonly #numbers = new Map<number, number>();

  of(value: number): number {
    const known = this.#numbers.get(value);
    if (known !== undefined) return known;
    const number = this.values.push(value) - 1;
    this.#numbers.set(value, number);
    return number;
  }
}
