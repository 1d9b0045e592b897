/**
 * Who a certificate names: `spiffe://DOMAIN/KIND/NAME`, the one URI among its subject's alternative
 * names (SPIFFE X.509-SVID, section 2: exactly one URI). The kind says what its holder may ask for.
 */

/** node: an agent. control: a control plane. operator: who deploys. */
export const KINDS = ['node', 'control', 'operator'] as const;
export type Kind = (typeof KINDS)[number];

export interface SpiffeId {
  readonly trustDomain: string;
  readonly kind: Kind;
  readonly name: string;
}

/** SPIFFE-ID, section 2: at most 2048 bytes in all, 255 for the domain. */
const MAX_ID_CHARS = 2048;
const TRUST_DOMAIN = /^[a-z0-9._-]{1,255}$/;
/** One path segment; `.` and `..` are none (section 2.2). */
const NAME = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,253}$/;

/** True for what can stand as NAME in an identity. */
export function isName(text: string): boolean {
  return NAME.test(text);
}

/** True for what can stand as DOMAIN in an identity. */
export function isTrustDomain(text: string): boolean {
  return TRUST_DOMAIN.test(text);
}

/** Reads an identity; null where the text is none of ours. */
export function parseSpiffeId(text: string): SpiffeId | null {
  if (text.length > MAX_ID_CHARS) return null;
  const found = /^spiffe:\/\/([^/]*)\/([^/]*)\/([^/]*)$/.exec(text);
  const [, trustDomain = '', word = '', name = ''] = found ?? [];
  const kind = KINDS.find((k) => k === word);
  if (kind === undefined || !isTrustDomain(trustDomain) || !isName(name)) return null;
  return { trustDomain, kind, name };
}

/** The identity as text. */
export function printSpiffeId({ trustDomain, kind, name }: SpiffeId): string {
  return `spiffe://${trustDomain}/${kind}/${name}`;
}
