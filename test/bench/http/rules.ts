/**
 * What every variant is asked to enforce, written once: which requests are allowed, and one route table of
 * some tens of hosts. `peer-*.ts` write it in each proxy's own words, as one would by hand for speed.
 */

/** A request is allowed when all three hold; else 403. */
export const ALLOW = {
  method: 'GET',
  prefix: '/api/',
  header: { name: 'x-team', value: 'payments' },
} as const;

/** A request with this header goes to v2, every other one of a known path to v1. */
export const CANARY = { name: 'x-canary', value: 'true' } as const;

/** The table's hosts: each has its paths `/api/<name>/`; other hosts and paths are 404. */
export const HOSTS: readonly string[] = [
  ...['accounts', 'adverts', 'basket', 'catalogue', 'checkout', 'currency', 'delivery', 'details'],
  ...['email', 'gateway', 'images', 'inventory', 'invoices', 'ledger', 'orders', 'payments'],
  ...['productpage', 'quotes', 'ratings', 'recommend', 'reviews', 'search', 'sessions', 'shipping'],
];
/** The one that is asked; neither first nor last. */
export const HOST = 'reviews';

/** The names under which a client may know a service, as Istio writes them into a virtual host. */
export function namesOf(host: string): readonly string[] {
  return [host, `${host}.prod`, `${host}.prod.svc`, `${host}.prod.svc.cluster.local`];
}
export const pathsOf = (host: string): string => `/api/${host}/`;

/** What is fetched: a reply from memory, a file that is read, a file by sendfile. */
export type Reply = 'small' | '64k' | 'sendfile-100k';
const reply = (name: Reply, bytes: number): { readonly path: string; readonly bytes: number } => ({
  path: `${pathsOf(HOST)}${name}`,
  bytes,
});
export const REPLIES: Readonly<Record<Reply, ReturnType<typeof reply>>> = {
  small: reply('small', 128),
  '64k': reply('64k', 64 * 1024),
  'sendfile-100k': reply('sendfile-100k', 100_000),
};

/** Headers of the allowed request. */
export function headers(canary: boolean): Readonly<Record<string, string>> {
  const allowed = { Host: `${HOST}.prod`, [ALLOW.header.name]: ALLOW.header.value };
  return canary ? { ...allowed, [CANARY.name]: CANARY.value } : allowed;
}
