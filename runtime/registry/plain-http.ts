/** Where HTTP without TLS may go: what is sent there, everybody on the way can read and alter. */

/** `loopback`: to this machine; `anywhere`: also to others. */
export type PlainHttp = 'never' | 'loopback' | 'anywhere';

/** True where a host is this machine. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  return name === 'localhost' || name === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(name);
}
