/** Bundles from WebAssembly text, for tests that need exact modules and no frontend. */
import binaryen from 'binaryen';
import { ABI_VERSION, DEFAULT_REFUSALS, refusalReplies } from '../../compiler/abi/index.js';
import type { Manifest, ManifestRoute, PolicyEntry } from '../../compiler/bundle/manifest.js';
import type { Site } from '../../compiler/frontend/types.js';

/** An AssemblyScript string as a data segment: byte length, then UTF-16LE; `at` is its pointer. */
export function watString(at: number, text: string): string {
  const bytes = [text.length * 2, 0, 0, 0].concat(
    [...text].flatMap((c) => [c.charCodeAt(0) & 255, c.charCodeAt(0) >> 8]),
  );
  const escaped = bytes.map((b) => `\\${b.toString(16).padStart(2, '0')}`).join('');
  return `(data (i32.const ${at - 4}) "${escaped}")`;
}

/** Assembles a module. */
export function wat(text: string): Uint8Array {
  const module = binaryen.parseText(text);
  try {
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}

/** A policy entry with everything that the test leaves out. */
export function policyEntry(index: number, name: string, parts: Partial<PolicyEntry>): PolicyEntry {
  return {
    index,
    name,
    file: `policies/${name}.ts`,
    mode: 'enforce',
    attach: [{ namespace: 'prod' }],
    exports: ['authorizeConnection'],
    canAllow: true,
    canAllowRequest: true,
    firstRoute: 0,
    routes: 0,
    scratch: null,
    tables: [],
    cidrs: [],
    ports: [],
    rules: [],
    patterns: [],
    keys: [],
    ...parts,
  };
}

/** A verdict site on a line of its own number. */
export function verdictSite(site: number, file: string, verdict: string): Site {
  return { site, kind: 'verdict', verdict, file, line: site * 10, column: 3 };
}

/** A route to a cluster, as a policy declares it. */
export function clusterRoute(name: string, policy: number): ManifestRoute {
  return { kind: 'cluster', name, edits: [], policy };
}

/** A manifest with everything that the test leaves out. */
export function manifestOf(parts: Partial<Manifest>): Manifest {
  return {
    schemaVersion: 1,
    abiVersion: ABI_VERSION,
    name: 'test',
    policies: [],
    routes: [],
    sites: [],
    symbols: [],
    attributes: [],
    predicates: [],
    headers: [],
    default: 'deny',
    trust: 'address',
    onChange: 'close',
    failure: { trap: 'deny', fuel: 'deny', unknownIdentity: 'deny', parse: 'deny' },
    refusals: refusalReplies(DEFAULT_REFUSALS),
    fuel: 100,
    kernels: ['6.18'],
    cost: { functions: [], tables: [], tableBytes: 0 },
    sources: {},
    ...parts,
  };
}
