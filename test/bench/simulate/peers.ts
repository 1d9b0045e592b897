/**
 * OPA and Cedar as WASM, the way their own packages run them, installed below the user's cache where they are
 * missing: `opa` compiles the rules (Go, or a program named by WEFT_OPA). None of them is part of Weft.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CEDAR_RULES, REGO_RULES } from './rules.js';
import type { Asked } from './traffic.js';

const OPA = '1.9.0';
const PACKAGES = { '@open-policy-agent/opa-wasm': '1.10.0', '@cedar-policy/cedar-wasm': '4.13.0' };

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const done = spawnSync(command, args, {
    stdio: ['ignore', 2, 2],
    env: { ...process.env, ...env },
  });
  if (done.status !== 0) throw new Error(`\`${command} ${args.join(' ')}\` failed`);
}

function cache(): string {
  const base = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return join(base, 'weft-bench');
}

/** Makes a folder whole or not at all. */
function made(name: string, make: (folder: string) => void): string {
  const folder = join(cache(), name);
  if (existsSync(folder)) return folder;
  console.error(`simulate: installing ${name} into ${folder}`);
  const half = `${folder}.${process.pid}`;
  mkdirSync(half, { recursive: true });
  try {
    make(half);
    renameSync(half, folder);
  } finally {
    rmSync(half, { recursive: true, force: true });
  }
  return folder;
}

function packages(): NodeJS.Require {
  const versions = Object.entries(PACKAGES).map(([name, version]) => `${name}@${version}`);
  const folder = made(`wasm-peers-${OPA}`, (half) => {
    writeFileSync(join(half, 'package.json'), '{ "private": true }\n');
    const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--save-exact'];
    run('npm', ['install', ...flags, '--prefix', half, ...versions]);
  });
  return createRequire(join(folder, 'package.json'));
}

function opaProgram(): string {
  const named = process.env['WEFT_OPA'];
  if (named !== undefined) return named;
  const target = `github.com/open-policy-agent/opa@v${OPA}`;
  const folder = made(`opa-${OPA}`, (half) => run('go', ['install', target], { GOBIN: half }));
  return join(folder, 'opa');
}

/** One way to ask a peer about everything it was given; answers how many it allowed. */
export interface Peer {
  readonly name: string;
  readonly count: number;
  readonly decide: () => number;
  /** Of each, in order. */
  readonly verdicts: () => readonly boolean[];
}

interface OpaExports {
  opa_malloc(bytes: number): number;
  opa_json_parse(at: number, bytes: number): number;
  opa_json_dump(at: number): number;
  opa_heap_ptr_get(): number;
  opa_heap_ptr_set(at: number): void;
  opa_eval_ctx_new(): number;
  opa_eval_ctx_set_input(context: number, at: number): void;
  opa_eval_ctx_set_data(context: number, at: number): void;
  opa_eval_ctx_get_result(context: number): number;
  eval(context: number): number;
}
interface OpaPolicy {
  readonly wasmInstance: { readonly exports: OpaExports };
  readonly mem: { readonly buffer: ArrayBuffer };
  readonly dataAddr: number;
  evaluate(input: object): readonly [{ readonly result: boolean }];
}
interface OpaPackage {
  loadPolicy(wasm: Uint8Array): Promise<OpaPolicy>;
}

function buildRego(folder: string): Uint8Array {
  const rego = join(folder, 'rules.rego');
  writeFileSync(rego, REGO_RULES);
  const archive = join(folder, 'rules.tar.gz');
  run(opaProgram(), ['build', '-t', 'wasm', '-O', '2', '-e', 'weft/allow', '-o', archive, rego]);
  run('tar', ['-xzf', archive, '-C', folder, '/policy.wasm']);
  return readFileSync(join(folder, 'policy.wasm'));
}

/** OPA in three ways: its package with objects and with JSON, and values that lie in its memory. */
export async function openOpa(folder: string, asked: readonly Asked[]): Promise<readonly Peer[]> {
  const { loadPolicy } = packages()('@open-policy-agent/opa-wasm') as OpaPackage;
  const wasm = buildRego(folder);
  const texts = asked.map(({ input }) => {
    const bytes = Buffer.from(JSON.stringify(input));
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  });
  const fed = await loadPolicy(wasm);
  const allowed = (policy: OpaPolicy, input: object): boolean => policy.evaluate(input)[0].result;
  const held = await loadPolicy(wasm);
  const { exports } = held.wasmInstance;
  const inputs = texts.map((text) => {
    const at = exports.opa_malloc(text.byteLength);
    new Uint8Array(held.mem.buffer).set(new Uint8Array(text), at);
    return exports.opa_json_parse(at, text.byteLength);
  });
  const heap = exports.opa_heap_ptr_get();
  const ask = (input: number): number => {
    exports.opa_heap_ptr_set(heap);
    const context = exports.opa_eval_ctx_new();
    exports.opa_eval_ctx_set_input(context, input);
    exports.opa_eval_ctx_set_data(context, held.dataAddr);
    exports.eval(context);
    return exports.opa_eval_ctx_get_result(context);
  };
  const resultText = (at: number): string => {
    const from = exports.opa_json_dump(at);
    const bytes = Buffer.from(held.mem.buffer);
    return bytes.toString('latin1', from, bytes.indexOf(0, from));
  };
  return [
    {
      name: `OPA ${OPA} as WASM, inputs as objects`,
      count: asked.length,
      decide: () => asked.reduce((sum, { input }) => sum + (allowed(fed, input) ? 1 : 0), 0),
      verdicts: () => asked.map(({ input }) => allowed(fed, input)),
    },
    {
      name: `OPA ${OPA} as WASM, input as JSON`,
      count: asked.length,
      decide: () => texts.reduce((sum, text) => sum + (allowed(fed, text) ? 1 : 0), 0),
      verdicts: () => texts.map((text) => allowed(fed, text)),
    },
    {
      name: `OPA ${OPA} as WASM, values in its memory`,
      count: asked.length,
      // The result is left unread: what its package does beyond that is not counted against it.
      decide: () => inputs.reduce((sum, input) => sum + (ask(input) === 0 ? 0 : 1), 0),
      verdicts: () => inputs.map((input) => resultText(ask(input)).includes('true')),
    },
  ];
}

interface CedarPackage {
  preparsePolicySet(id: string, policies: object): { readonly type: string };
  statefulIsAuthorized(call: object): {
    readonly type: string;
    readonly response?: { readonly decision: string };
  };
}

/** Cedar with its policies parsed before, and calls that are objects already. */
export function openCedar(asked: readonly Asked[]): Peer {
  const cedar = packages()('@cedar-policy/cedar-wasm/nodejs') as CedarPackage;
  const parsed = cedar.preparsePolicySet('rules', { staticPolicies: CEDAR_RULES });
  if (parsed.type !== 'success') throw new Error(JSON.stringify(parsed));
  const calls = asked.map(({ input }) => {
    const principal = { type: 'Client', id: input.source.serviceAccount };
    const debug = input.headers['x-debug'];
    return {
      principal,
      action: { type: 'Action', id: input.method },
      resource: { type: 'Service', id: 'reviews.prod' },
      context: { path: input.path, host: input.host, ...(debug === undefined ? {} : { debug }) },
      preparsedPolicySetId: 'rules',
      entities: [{ uid: principal, attrs: { ...input.source }, parents: [] }],
    };
  });
  const allowed = (call: object): boolean => {
    const answer = cedar.statefulIsAuthorized(call);
    if (answer.response === undefined) throw new Error(JSON.stringify(answer));
    return answer.response.decision === 'allow';
  };
  return {
    name: 'Cedar 4.13 as WASM, policies parsed before',
    count: asked.length,
    decide: () => calls.reduce((sum, call) => sum + (allowed(call) ? 1 : 0), 0),
    verdicts: () => calls.map(allowed),
  };
}
