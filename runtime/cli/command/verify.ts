/** `weft verify`: would a node with this trust policy run the bundle? */
import { diagnostic } from '../../../compiler/diagnostic/index.js';
import type { TrustPolicy } from '../../trust/index.js';
import { columns } from '../columns.js';
import { type CommandSpec, listOption, REGISTRY_OPTIONS, textOption } from '../command-spec.js';
import { pathIn } from '../env.js';
import { EXIT } from '../exit.js';

export const VERIFY_COMMAND: CommandSpec = {
  name: 'verify',
  summary: 'check the signatures of a bundle',
  description:
    'By a trust policy, or by keys of which each must have signed. Changes nothing; what ran on a node before\nis asked where it is loaded.',
  example:
    '$ weft verify registry.example/shop:1 --trust trust.json\nverified sha256:4f0c… shop version 7\n  alice  5b1e…  version 7  2026-01-02T03:04:05.000Z',
  arguments: [
    { syntax: '<BUNDLE>', description: 'FILE, oci:DIR, oci-archive:FILE or HOST/REPOSITORY:TAG' },
  ],
  options: [
    { flags: '--trust <FILE>', description: 'the trust policy' },
    { flags: '--key <FILE>', description: 'a public key that must have signed', repeat: true },
    ...REGISTRY_OPTIONS,
  ],
  formats: ['text', 'json'],
  async run(env, input) {
    const trust = textOption(input, 'trust');
    const keys = listOption(input, 'key');
    if ((trust === null) === (keys.length === 0)) {
      const help = 'give either `--trust FILE` or `--key FILE`';
      const found = diagnostic('U003', 'nothing says whose signatures count', { help });
      return { exit: EXIT.usage, diagnostics: [found] };
    }
    const { accessOf, readSmall } = await import('../bundle-place.js');
    const { openPlaced } = await import('../open-bundle.js');
    const { keyId, readPublicKey, readTrustFile, verifyBundle } = await import(
      '../../trust/index.js'
    );
    const keysOf = (): TrustPolicy['keys'] =>
      keys.map((file) => {
        const key = readPublicKey(readSmall(env, file).toString('utf8'));
        return { name: file, id: keyId(key), key, notBefore: null, notAfter: null };
      });
    const policy: TrustPolicy =
      trust === null
        ? { keys: keysOf(), threshold: keys.length, bundles: null, minimumVersion: 0 }
        : readTrustFile(pathIn(env, trust), trust);
    const [shown = ''] = input.arguments;
    const { subject, image, signatures } = await openPlaced(env, shown, accessOf(env, input));
    const { name } = subject.bundle.manifest;
    const claim = { name, digest: image.digest, signatures };
    const verification = verifyBundle(claim, { policy, now: env.now(), floor: null });
    const { diagnostics } = verification;
    const document = { bundle: image.digest, name };
    if (!verification.ok) {
      return { exit: EXIT.integrity, document: { ...document, verified: false }, diagnostics };
    }
    const { signers, version } = verification.verified;
    const rows = signers.map((s) => [s.name, s.keyId, `version ${s.version}`, s.signedAt]);
    return {
      exit: EXIT.ok,
      document: { ...document, verified: true, version, signers },
      text: `verified ${image.digest} ${name} version ${version}\n${columns(rows, '  ')}`,
      diagnostics,
    };
  },
};
