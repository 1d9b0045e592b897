/** What a process says to who started it (sd_notify(3)), as far as a keeper listens. */

export interface Notice {
  /** The process that is the main one from now on. */
  readonly main: number | null;
  readonly isReady: boolean;
  /** The name that descriptors beside it are kept by; null: they are not kept. */
  readonly keep: string | null;
  /** The name whose descriptor is let go. */
  readonly remove: string | null;
}

/** As systemd takes them (sd_pid_notify_with_fds(3)), and none that separates names in LISTEN_FDNAMES. */
const NAME = /^[\w.-]{1,255}$/;
/** Of Linux: PID_MAX_LIMIT (include/linux/threads.h). */
const MAX_PID = 4_194_304;

/** Reads one; what is not understood says nothing. */
export function readNotice(text: string): Notice {
  const words = new Map(
    text.split('\n').map((line): [string, string] => {
      const at = line.indexOf('=');
      return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
    }),
  );
  const name = words.get('FDNAME') ?? 'stored';
  const known = NAME.test(name) ? name : null;
  const pid = words.get('MAINPID') ?? '';
  const main = /^\d{1,7}$/.test(pid) ? Number(pid) : 0;
  return {
    main: main > 1 && main <= MAX_PID ? main : null,
    isReady: words.get('READY') === '1',
    keep: words.get('FDSTORE') === '1' ? known : null,
    remove: words.get('FDSTOREREMOVE') === '1' ? known : null,
  };
}
