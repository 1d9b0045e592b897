/** A small bundle made by hand, for tests of what carries bundles about. */
import { ABI_VERSION, DEFAULT_REFUSALS, refusalReplies } from '../../compiler/abi/index.js';
import type { Bundle } from '../../compiler/bundle/index.js';

export function sampleBundle(): Bundle {
  return {
    manifest: {
      schemaVersion: 1,
      abiVersion: ABI_VERSION,
      name: 'sample',
      policies: [
        {
          index: 0,
          name: 'isolation',
          file: 'policies/isolation.ts',
          mode: 'enforce',
          attach: [{ namespace: 'prod' }],
          exports: ['authorizeConnection'],
          canAllow: true,
          canAllowRequest: true,
          firstRoute: 0,
          routes: 0,
          scratch: null,
          tables: [
            {
              name: 'plans',
              keyKind: 'text',
              entries: [
                ['b', 2],
                ['a', 1],
              ],
            },
          ],
          cidrs: [{ name: 'office', prefixes: ['10.0.0.0/8', 'fd00::/8'] }],
          ports: [],
          rules: [],
          patterns: [],
          keys: [],
        },
      ],
      routes: [],
      sites: [
        {
          site: 1,
          kind: 'verdict',
          verdict: 'allow',
          file: 'policies/isolation.ts',
          line: 3,
          column: 5,
        },
      ],
      symbols: ['prod'],
      attributes: [{ side: 'source', attribute: 'namespace', key: null, slot: 0 }],
      predicates: [],
      headers: [],
      default: 'deny',
      trust: 'address',
      onChange: 'close',
      failure: { trap: 'deny', fuel: 'deny', unknownIdentity: 'deny', parse: 'deny' },
      refusals: refusalReplies(DEFAULT_REFUSALS),
      fuel: 20000,
      kernels: ['6.1'],
      cost: { functions: [], tables: [], tableBytes: 0 },
      sources: { 'policies/isolation.ts': '// größer als\nexport {};\n' },
    },
    maps: new Map([['isolation', '{"version":3,"sources":[],"names":[],"mappings":""}']]),
    wasm: new Map([['isolation', Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)]]),
    objects: {
      base: Uint8Array.from({ length: 700 }, (_, i) => i & 0xff),
      mayGoto: Uint8Array.from({ length: 512 }, (_, i) => (i * 7) & 0xff),
    },
    cases: null,
    sbom: '{"bomFormat":"CycloneDX","specVersion":"1.6","version":1}',
  };
}
