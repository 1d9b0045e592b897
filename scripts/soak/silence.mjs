// Silence, counted in ticks of this process and in what others heard meanwhile: a machine that has no
// time for it, or for the servers, lets nobody hear anything, and that is no hang.

/** Ticks without a byte after which a connection hangs: longer than a busy machine makes wait. */
const HANG_TICKS = 90;
/** And pieces of replies that others must have got meanwhile: some forty for each connection. */
const HEARD_BY_OTHERS = 20_000;
/** Where nobody hears anything any more. */
const DEAD_TICKS = 1800;
const TICK_MS = 1000;

let ticks = 0;
let pieces = 0;
const watched = new Set();
setInterval(() => {
  ticks += 1;
  for (const one of watched) one.look();
}, TICK_MS).unref();

/** Calls `hangs` once nothing was heard for too long, until it is stopped. */
export function watchSilence(hangs) {
  let heard = { ticks, pieces };
  const one = {
    look: () => {
      const silent = ticks - heard.ticks;
      const isAlone = pieces - heard.pieces > HEARD_BY_OTHERS;
      if ((silent > HANG_TICKS && isAlone) || silent > DEAD_TICKS) hangs();
    },
  };
  watched.add(one);
  return {
    hear: () => {
      pieces += 1;
      heard = { ticks, pieces };
    },
    stop: () => watched.delete(one),
  };
}
