/** A beat of the event loop; the longest pause between two says whether it stood still. */

const BEAT_MS = 1000;
/** For so long a pause is remembered. */
const MEMORY_BEATS = 60;

export interface Heartbeat extends Disposable {
  /** The longest pause of the last minute beyond what was asked for, the running one included; ms. */
  readonly longest: number;
}

/** Starts it; `onBeat` is called at each beat. */
export function startHeartbeat(
  onBeat: () => void,
  clock: () => number = () => performance.now(),
): Heartbeat {
  let last = clock();
  const late: number[] = [];
  const over = (): number => Math.max(0, clock() - last - BEAT_MS);
  const timer = setInterval(() => {
    late.push(over());
    if (late.length > MEMORY_BEATS) late.shift();
    last = clock();
    onBeat();
  }, BEAT_MS);
  return {
    get longest(): number {
      return Math.max(over(), ...late);
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
