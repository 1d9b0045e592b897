/** What the agent says about itself: one line each, to stderr; JSON unless a person asks for text. */

export type Level = 'info' | 'warn' | 'error';

/** Names and values beside the message; what is undefined is left out. */
export type Fields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export type Log = (level: Level, message: string, fields?: Fields) => void;

/** `{"time":…,"level":…,"message":…}` and the fields, a line each. */
export function jsonLog(write: (text: string) => void, now: () => Date): Log {
  return (level, message, fields = {}) =>
    write(`${JSON.stringify({ time: now().toISOString(), level, message, ...fields })}\n`);
}

/** For people: the message, behind its level where that is no information. */
export function textLog(write: (text: string) => void): Log {
  return (level, message, { help } = {}) => {
    write(`${level === 'info' ? '' : `${level}: `}${message}\n`);
    if (typeof help === 'string') write(`  help: ${help}\n`);
  };
}
