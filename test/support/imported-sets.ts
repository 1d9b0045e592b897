/** Generated sets of policies of other meshes, each a namespace of one bundle, as `weft import` makes policies of them. */
import * as assert from 'uvu/assert';
import {
  type ImportedProject,
  ISTIO_DEFAULTS,
  importIstio,
  importNetwork,
} from '../../runtime/import/index.js';
import type { CiliumPolicy } from './cilium-interpreter.js';
import type { ConfigText } from './compile-texts.js';
import { CILIUM_HTTP_PORTS, ciliumYaml, generateCilium, NODES } from './generate-cilium.js';
import { generateSet, HTTP_PORTS, yamlOf } from './generate-istio.js';
import type { IstioPolicy } from './istio-interpreter.js';
import type { Prng } from './prng.js';

export interface ImportedSets<Policy> {
  /** Names of the sets: namespaces. */
  readonly names: readonly string[];
  readonly policies: readonly Policy[];
  readonly imported: ImportedProject;
  /** What compiles. */
  readonly texts: ReadonlyMap<string, string>;
  readonly config: ConfigText;
}

function namesOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `set-${i}`);
}

function importedOf<Policy>(
  names: readonly string[],
  policies: readonly Policy[],
  imported: ImportedProject,
  text: string,
): ImportedSets<Policy> {
  const errors = imported.diagnostics.filter((d) => d.severity === 'error');
  assert.equal(errors, [], text);
  const texts = new Map(imported.policies.map((p) => [p.file, p.text]));
  const config = { default: imported.default, budget: { instructions: 500_000 } };
  return { names, policies, imported, texts, config };
}

/** AuthorizationPolicies; every other time one of the whole mesh is among them. */
export function istioSets(random: Prng, count: number): ImportedSets<IstioPolicy> {
  const names = namesOf(count);
  const meshWide = random.oneIn(2) ? generateSet(random, 'istio-system').slice(0, 1) : [];
  const policies = [...meshWide, ...names.flatMap((name) => generateSet(random, name))];
  const text = yamlOf(policies);
  const options = { ...ISTIO_DEFAULTS, httpPorts: HTTP_PORTS };
  const imported = importIstio([{ name: 'mesh.yaml', text }], options, 'one');
  return importedOf(names, policies, imported, text);
}

/** CiliumNetworkPolicies, beside one of the whole cluster. */
export function ciliumSets(random: Prng, count: number): ImportedSets<CiliumPolicy> {
  const names = namesOf(count);
  const policies = [
    ...generateCilium(random, null),
    ...names.flatMap((name) => generateCilium(random, name)),
  ];
  const text = ciliumYaml(policies);
  const options = { namespace: 'default', httpPorts: CILIUM_HTTP_PORTS, nodes: NODES };
  return importedOf(names, policies, importNetwork([{ name: 'mesh.yaml', text }], options), text);
}
