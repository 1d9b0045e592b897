// What a run must undo, last first: at its end, where it fails, and where somebody interrupts it.
export class Undo {
  #steps = [];

  /** Answers with a function that undoes this step and all later ones. */
  push(step) {
    const before = this.#steps.length;
    this.#steps.push(step);
    return () => this.#back(before);
  }

  /** Until the end of the process: SIGINT and SIGTERM undo everything and exit. */
  onSignals() {
    // Not `once`: a second Ctrl-C meanwhile would then kill the process half-way.
    for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143 })) {
      process.on(signal, () => {
        this.all();
        process.exit(code);
      });
    }
  }

  all() {
    this.#back(0);
  }

  #back(before) {
    while (this.#steps.length > before) this.#steps.pop()();
  }
}
