/** `weft push`: a bundle, with its signatures, into a registry or an image layout. */
import { BUNDLE_ARGUMENT, type CommandSpec, REGISTRY_OPTIONS } from '../command-spec.js';
import { EXIT } from '../exit.js';

export const PUSH_COMMAND: CommandSpec = {
  name: 'push',
  summary: 'store a bundle in a registry, with its signatures',
  description:
    'The bytes are those of the bundle, so its digest stays. What the registry has is not sent again, and the\nmanifest comes last: nobody finds half a bundle. Credentials are those of `docker login`.',
  example:
    '$ weft push shop.weft r.example/shop:1\npushed r.example/shop:1 sha256:4f0c… (6 blobs sent, 0 there, 1 signature)',
  arguments: [
    { syntax: '<BUNDLE>', description: BUNDLE_ARGUMENT },
    {
      syntax: '<PLACE>',
      description: 'HOST/REPOSITORY:TAG, oci:DIR[:TAG] or oci-archive:FILE',
    },
  ],
  options: [...REGISTRY_OPTIONS],
  formats: ['text', 'json'],
  async run(env, input) {
    const [shown = '', to = ''] = input.arguments;
    const { accessOf, addSignatures, writePlace } = await import('../bundle-place.js');
    const { openBundle } = await import('../open-bundle.js');
    const { parsePlace, referenceText } = await import('../../registry/index.js');
    const access = accessOf(env, input);
    const target = parsePlace(to);
    const { image, signatures, subject } = await openBundle(env, shown, access);
    const counts = await writePlace(env, target, { image, access });
    await addSignatures(env, target, { image, signatures, access });
    const place = target.kind === 'registry' ? referenceText(target.reference) : to;
    const many = `${signatures.length} signature${signatures.length === 1 ? '' : 's'}`;
    const how =
      counts === null ? many : `${counts.sent} blobs sent, ${counts.there} there, ${many}`;
    return {
      exit: EXIT.ok,
      document: { bundle: image.digest, place, ...counts, signatures: signatures.length },
      text: `pushed ${place} ${image.digest} (${how})`,
      diagnostics: subject.diagnostics,
      sources: subject.sources,
    };
  },
};
