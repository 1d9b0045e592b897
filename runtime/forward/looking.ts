/**
 * Looking again and again at what nobody announces: often while there is something, ever less often
 * while there is not. An agent that has nothing to do costs nothing.
 */
export interface Looking {
  close(): void;
}

export interface LookingOptions {
  /** True: there was something. */
  readonly look: () => boolean;
  /** Between two looks while there is something. */
  readonly shortestMs: number;
  /** At most so long, where nothing was seen again and again. */
  readonly longestMs: number;
  /** A look that failed; the next one comes as after nothing. */
  readonly onFault: (error: unknown) => void;
}

/** Until closed; first after the shortest pause. */
export function keepLooking({ look, shortestMs, longestMs, onFault }: LookingOptions): Looking {
  let pause = shortestMs;
  let timer: NodeJS.Timeout;
  let isOpen = true;
  const attempt = (): boolean => {
    try {
      return look();
    } catch (error) {
      onFault(error);
      return false;
    }
  };
  const turn = (): void => {
    pause = attempt() ? shortestMs : Math.min(2 * pause, longestMs);
    // At moments that all share which look as rarely: one waking of the process is enough for them.
    if (isOpen) timer = setTimeout(turn, pause - (performance.now() % pause));
  };
  timer = setTimeout(turn, pause);
  return {
    close: () => {
      isOpen = false;
      clearTimeout(timer);
    },
  };
}
