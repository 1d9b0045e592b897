// Silence, counted in ticks of this process: a machine that has no time for it lets it hear nothing,
// and no tick either, so that its own pauses are not taken for a hang.

/** Ticks without a byte after which a connection hangs: longer than a busy machine makes wait. */
const HANG_TICKS = 90;
const TICK_MS = 1000;

let ticks = 0;
const watched = new Set();
setInterval(() => {
  ticks += 1;
  for (const one of watched) one.look();
}, TICK_MS).unref();

/** Calls `hangs` once nothing was heard for too long, until it is stopped. */
export function watchSilence(hangs) {
  let heard = ticks;
  const one = {
    look: () => {
      if (ticks - heard > HANG_TICKS) hangs();
    },
  };
  watched.add(one);
  return {
    hear: () => {
      heard = ticks;
    },
    stop: () => watched.delete(one),
  };
}
