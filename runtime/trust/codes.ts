/** Diagnostic codes of keys, signatures and trust policies. */
import type { CodeTable } from '../../compiler/diagnostic/index.js';

export const CODES: CodeTable = {
  V101: {
    title: 'bundle is not signed',
    help: 'sign it with `weft sign BUNDLE --key FILE`, where the bundle lies',
  },
  V102: {
    title: 'damaged signature',
    help: 'a signature is a sigstore bundle with one statement; sign the bundle again',
  },
  V103: {
    title: 'signature of another bundle',
    help: 'fetch the signatures together with the bundle, or sign this one',
  },
  V104: {
    title: 'signed by a key that is not trusted',
    help: 'add the public key to the trust policy, or have the bundle signed by one of its keys',
  },
  V105: {
    title: 'signature does not verify',
    help: 'the signature or what it covers was altered; sign the bundle again',
  },
  V106: {
    title: 'outside of its time',
    help: 'sign the bundle again, renew the key in the trust policy, or correct the clock',
  },
  V107: {
    title: 'too few signatures',
    help: 'have the bundle signed by more keys of the trust policy',
  },
  V108: {
    title: 'older than what ran before',
    help: 'sign the bundle with a later `--as-version` if the older one is wanted',
  },
  V109: {
    title: 'bundle is not meant for this node',
    help: 'add its name to `bundles` of the trust policy',
  },
  V111: {
    title: 'key cannot be used',
    help: 'give an Ed25519, ECDSA P-256 or ECDSA P-384 key in PEM, as `weft keygen` writes it',
  },
  V112: {
    title: 'trust policy contradicts itself',
    help: 'correct the key that is named',
  },
  V113: { title: 'trust policy cannot be read', help: 'check the path and its permissions' },
  V114: {
    title: 'signatures cannot be read',
    help: 'check the file and its permissions; `weft sign` writes it anew',
  },
  V115: {
    title: 'encrypted key is not opened',
    help: 'set WEFT_KEY_PASSPHRASE to the passphrase that the key was made with',
  },
};
