/** `weft pull`: a bundle, with its signatures, out of a registry or an image layout. */
import { type CommandSpec, REGISTRY_OPTIONS, textOption } from '../command-spec.js';
import { EXIT } from '../exit.js';

export const PULL_COMMAND: CommandSpec = {
  name: 'pull',
  summary: 'fetch a bundle from a registry, with its signatures',
  description:
    'Every byte is held against its digest. The file is replaced whole, or stays as it was.\nThe signatures are fetched and not judged: `weft verify` and `weft load --trust` do that.',
  example:
    '$ weft pull registry.example/shop:1 --out shop.weft\npulled shop.weft sha256:4f0c… (1 signature)',
  arguments: [
    { syntax: '<BUNDLE>', description: 'HOST/REPOSITORY:TAG, oci:DIR[:TAG] or oci-archive:FILE' },
  ],
  options: [
    {
      flags: '--out <PLACE>',
      description: 'FILE, oci:DIR[:TAG] or oci-archive:FILE',
      required: true,
    },
    ...REGISTRY_OPTIONS,
  ],
  formats: ['text', 'json'],
  async run(env, input) {
    const [shown = ''] = input.arguments;
    const out = textOption(input, 'out') ?? '';
    const { accessOf, addSignatures, writePlace } = await import('../bundle-place.js');
    const { openPlaced } = await import('../open-bundle.js');
    const { parsePlace } = await import('../../registry/index.js');
    const access = accessOf(env, input);
    const target = parsePlace(out);
    const { image, signatures } = await openPlaced(env, shown, access);
    await writePlace(env, target, { image, access });
    await addSignatures(env, target, { image, signatures, access });
    const many = `${signatures.length} signature${signatures.length === 1 ? '' : 's'}`;
    return {
      exit: EXIT.ok,
      document: { bundle: image.digest, file: out, signatures: signatures.length },
      text: `pulled ${out} ${image.digest} (${many})`,
    };
  },
};
