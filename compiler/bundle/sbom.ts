/**
 * The bill of materials of a bundle (CycloneDX 1.6): the sources that were compiled, each by its
 * digest, and the tools. No time and no serial number: equal sources are equal bytes.
 */
import { canonicalJson } from './canonical-json.js';
import { TOOL_VERSIONS } from './gen/tool-versions.gen.js';
import type { Manifest } from './manifest.js';
import { digestOf } from './oci.js';

function hashOf(text: string): { readonly alg: 'SHA-256'; readonly content: string } {
  const content = digestOf(new TextEncoder().encode(text)).slice('sha256:'.length);
  return { alg: 'SHA-256', content };
}

/** The document as JSON text. */
export function sbomOf({ name, sources }: Pick<Manifest, 'name' | 'sources'>): string {
  const tools = Object.entries(TOOL_VERSIONS).map(([tool, version]) => ({
    type: 'application',
    name: tool,
    version,
    purl: `pkg:npm/${tool}@${version}`,
  }));
  const root = `bundle:${name}`;
  const files = Object.entries(sources)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([file, text]) => ({
      type: 'file',
      'bom-ref': `source:${file}`,
      name: file,
      hashes: [hashOf(text)],
    }));
  return canonicalJson({
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: { type: 'application', 'bom-ref': root, name },
      tools: { components: tools },
    },
    components: files,
    dependencies: [{ ref: root, dependsOn: files.map((f) => f['bom-ref']) }],
  });
}
