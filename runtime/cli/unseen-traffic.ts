/** Requests of recorded traffic that no node would look at, counted by the port that they ask for. */
import type { Manifest } from '../../compiler/bundle/manifest.js';
import { type Diagnostic, diagnostic } from '../../compiler/diagnostic/index.js';
import { type Plan, planGeneration, type World } from '../discovery/index.js';
import { COLUMN, type DecidedBatch } from '../record/index.js';
import { judgesRequests, unseenWarning } from '../simulate/index.js';

/** Of more ports than these the rest is counted. */
const TOLD = 20;

/** Told of a place whose address is no service's and no workload's. */
const STRANGER = 'an address that the world does not know';

/** Counts over the batches of a file; bundles without policies about requests have nothing to tell. */
export class UnseenTraffic {
  /** Null where nothing is to be told. */
  readonly #plan: Plan | null;
  readonly #counts = new Map<string, { count: number; readonly line: number }>();

  constructor(manifests: readonly Manifest[], world: World) {
    const judging = manifests.find(judgesRequests);
    this.#plan = judging === undefined ? null : planGeneration(judging, world);
  }

  add({ columns: [words], count, lines }: DecidedBatch): void {
    if (words === undefined || this.#plan === null) return;
    for (let row = 0; row < count; row += 1) {
      const at = row * COLUMN.size;
      if (words[at + COLUMN.unseen] === 0) continue;
      const { service, destination, unseen } = COLUMN;
      const key = `${words[at + service]} ${words[at + destination]} ${words[at + unseen]}`;
      const place = this.#places.get(key) ?? this.#placeOf(key);
      const known = this.#counts.get(place);
      if (known !== undefined) known.count += 1;
      else this.#counts.set(place, { count: 1, line: lines[row] ?? 1 });
    }
  }

  readonly #places = new Map<string, string>();

  #placeOf(key: string): string {
    const [service = -1, destination = -1, port = 0] = key.split(' ').map(Number);
    const name =
      this.#plan?.services[service]?.name ?? this.#plan?.workloads[destination]?.workload.name;
    const place = `${name ?? STRANGER}:${port}`;
    this.#places.set(key, place);
    return place;
  }

  /** A warning (W311) for each port, at its first request; most frequent first. */
  warnings(file: string): readonly Diagnostic[] {
    const found = [...this.#counts].sort(([, a], [, b]) => b.count - a.count);
    const told = found
      .slice(0, TOLD)
      .map(([place, { count, line }]) => unseenWarning(place, { file, line, column: 1 }, count));
    const rest = found.slice(TOLD);
    if (rest.length === 0) return told;
    const requests = rest.reduce((sum, [, { count }]) => sum + count, 0);
    const message = `${rest.length} more ports without HTTP are asked ${requests} times`;
    return [...told, diagnostic('W311', message, { severity: 'warning' })];
  }
}
