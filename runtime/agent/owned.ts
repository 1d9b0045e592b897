/** A list of handles that are closed together, last first; Node 20 has no DisposableStack. */
export class Owned implements Disposable {
  readonly #handles: Disposable[] = [];

  /** Takes over a handle and returns it. */
  add<T extends Disposable>(handle: T): T {
    this.#handles.push(handle);
    return handle;
  }

  [Symbol.dispose](): void {
    for (let next = this.#handles.pop(); next !== undefined; next = this.#handles.pop()) {
      next[Symbol.dispose]();
    }
  }
}
