/** The worker as a function: what is asked is answered in order. */
import type { Asked, Told } from '../index.js';

type Reply = Exclude<Told, { readonly kind: 'ready' }>;

export class WorkerLink {
  readonly #worker: Worker;
  readonly #waiting: ((reply: Reply) => void)[] = [];
  /** When the compiler is loaded; rejects where it cannot be. */
  readonly ready: Promise<void>;

  constructor(url: URL) {
    this.#worker = new Worker(url, { type: 'module' });
    this.ready = new Promise((resolve, reject) => {
      this.#worker.onerror = (event) => {
        const fault: Reply = { kind: 'fault', message: event.message || 'the worker ended' };
        reject(new Error(fault.message));
        for (const settle of this.#waiting.splice(0)) settle(fault);
      };
      this.#worker.onmessage = ({ data }: MessageEvent<Told>) => {
        if (data.kind === 'ready') resolve();
        else this.#waiting.shift()?.(data);
      };
    });
  }

  ask(asked: Asked): Promise<Reply> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#worker.postMessage(asked);
    });
  }
}
