/**
 * Whether a node may run a bundle: enough pinned keys have signed a statement about this very digest,
 * all of it within its time, and the version is not below what ran before.
 */
import { type Diagnostic, diagnostic } from '../../compiler/diagnostic/index.js';
import { CODES } from './codes.js';
import type { TrustedKey, TrustPolicy } from './policy.js';
import type { Statement } from './statement.js';
import { readSignature } from './verify-signature.js';

/** Signatures of a bundle that are looked at; one cannot be kept busy by more. */
export const MAX_SIGNATURES = 64;

export interface Signer {
  readonly name: string;
  readonly keyId: string;
  readonly version: number;
  readonly signedAt: string;
}

export interface Verified {
  readonly signers: readonly Signer[];
  /** The version that enough of the signers vouch for. */
  readonly version: number;
}

export interface BundleClaim {
  readonly name: string;
  readonly digest: string;
  /** As they were found, not looked at yet. */
  readonly signatures: readonly string[];
}

export interface VerifyOptions {
  readonly policy: TrustPolicy;
  readonly now: Date;
  /** The highest version of a bundle of this name that ran here; null: none. */
  readonly floor: number | null;
}

export type Verification =
  | { readonly ok: true; readonly verified: Verified; readonly diagnostics: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

function finding(code: string, message: string): Diagnostic {
  return diagnostic(code, message, { help: CODES[code]?.help ?? null });
}

/** What is wrong with the time of a key or statement; null where it counts now. */
function untimely(
  what: string,
  { notBefore, notAfter }: Pick<Statement, 'notBefore' | 'notAfter'>,
  now: Date,
): Diagnostic | null {
  if (notBefore !== null && now < notBefore) {
    return finding('V106', `${what} counts only from ${notBefore.toISOString()}`);
  }
  if (notAfter !== null && now > notAfter) {
    return finding('V106', `${what} counted until ${notAfter.toISOString()}`);
  }
  return null;
}

/** One signature: whose it is, or why it does not count. */
function judge(
  text: string,
  { name, digest }: BundleClaim,
  { policy, now }: VerifyOptions,
): { readonly key: TrustedKey; readonly statement: Statement } | Diagnostic {
  const signature = readSignature(text);
  if (signature === null) return finding('V102', 'a signature is no statement about a bundle');
  const { hint, statement } = signature;
  const key = policy.keys.find((k) => k.id === hint);
  if (key === undefined) return finding('V104', `key \`${hint.slice(0, 64)}\` is not trusted here`);
  if (!signature.isBy(key.key)) {
    return finding('V105', `the signature of \`${key.name}\` does not verify`);
  }
  if (statement.digest !== digest || statement.name !== name) {
    const other = `${statement.name} ${statement.digest}`;
    return finding('V103', `\`${key.name}\` signed \`${other}\`, not \`${name} ${digest}\``);
  }
  return (
    untimely(`the key of \`${key.name}\``, key, now) ??
    untimely(`the signature of \`${key.name}\``, statement, now) ?? { key, statement }
  );
}

/** Verifies the signatures of a bundle. Never throws on them; refuses with V1xx. */
export function verifyBundle(claim: BundleClaim, options: VerifyOptions): Verification {
  const { policy, floor } = options;
  const { name, signatures } = claim;
  const refuse = (...diagnostics: Diagnostic[]): Verification => ({ ok: false, diagnostics });
  if (policy.bundles !== null && !policy.bundles.includes(name)) {
    return refuse(finding('V109', `the trust policy names no bundle \`${name}\``));
  }
  if (signatures.length === 0) return refuse(finding('V101', `nobody signed \`${claim.digest}\``));
  const notCounted: Diagnostic[] = [];
  const signers = new Map<string, Signer>();
  for (const text of signatures.slice(0, MAX_SIGNATURES)) {
    const judged = judge(text, claim, options);
    if ('code' in judged) {
      notCounted.push(judged);
      continue;
    }
    const { key, statement } = judged;
    const before = signers.get(key.id);
    if (before !== undefined && before.version >= statement.version) continue;
    signers.set(key.id, {
      name: key.name,
      keyId: key.id,
      version: statement.version,
      signedAt: statement.signedAt.toISOString(),
    });
  }
  const { threshold } = policy;
  if (signers.size < threshold) {
    // Where one signature would do, why it does not is the whole answer.
    const few = `${signers.size} of the ${threshold} signatures that are needed count`;
    return refuse(...notCounted, ...(threshold === 1 ? [] : [finding('V107', few)]));
  }
  const versions = [...signers.values()].map((s) => s.version).sort((a, b) => b - a);
  // What that many vouch for: a single key cannot lift an old bundle above the floor.
  const version = versions[threshold - 1] ?? 0;
  const least = Math.max(policy.minimumVersion, floor ?? 0);
  if (version < least) {
    return refuse(finding('V108', `version ${version} of \`${name}\` is older than ${least}`));
  }
  const verified = { signers: [...signers.values()], version };
  const warnings = notCounted.map((d) => ({ ...d, severity: 'warning' as const }));
  return { ok: true, verified, diagnostics: warnings };
}
