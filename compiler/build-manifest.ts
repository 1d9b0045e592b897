/** The manifest of a bundle from its project and its compiled policies. */
import { ABI_VERSION, HOOK, refusalReplies } from './abi/index.js';
import type { Manifest, PolicyEntry } from './bundle/manifest.js';
import type { PolicyConfig, ProjectConfig } from './bundle/project.js';
import { canAllow } from './can-allow.js';
import type { CompiledPolicy } from './compile-policy.js';
import { criterionTexts } from './frontend/rule-text.js';
import { policyFunction } from './lower/dispatcher.js';
import type { AbiNumbering } from './passes/expand-abi-numbering.js';

export interface ManifestParts {
  readonly policies: readonly CompiledPolicy[];
  readonly numbering: AbiNumbering;
  readonly cost: Manifest['cost'];
  readonly sources: ReadonlyMap<string, string>;
}

/** Builds the manifest; modules must be simplified, since what a policy can answer is read off them. */
export function buildManifest(project: ProjectConfig, parts: ManifestParts): Manifest {
  const { policies, numbering, cost, sources } = parts;
  let firstRoute = 0;
  const entries = policies.flatMap((policy) => {
    const config = project.policies[policy.index];
    if (config === undefined) return [];
    const entry = policyEntry(policy, config, firstRoute);
    firstRoute += entry.routes;
    return [entry];
  });
  return {
    schemaVersion: 1,
    abiVersion: ABI_VERSION,
    name: project.name,
    policies: entries,
    routes: policies.flatMap(({ index, frontend }) =>
      frontend.registry.routes.map(({ target }) => ({ ...target, policy: index })),
    ),
    sites: policies.flatMap((p) => p.frontend.sites),
    symbols: numbering.symbols,
    attributes: numbering.attributes,
    predicates: numbering.predicates,
    headers: numbering.headers,
    default: project.default,
    trust: project.trust,
    onChange: project.onChange,
    failure: project.failure,
    refusals: refusalReplies(project.refusals),
    fuel: project.budget.fuel,
    kernels: project.kernels,
    cost,
    sources: Object.fromEntries(sources),
  };
}

function policyEntry(
  { index, name, frontend, module }: CompiledPolicy,
  { file, mode, attach }: PolicyConfig,
  firstRoute: number,
): PolicyEntry {
  const { registry, exports } = frontend;
  const exported = HOOK.filter((e) => exports[e]);
  return {
    index,
    name,
    file,
    mode,
    attach,
    exports: exported,
    canAllow: canAllow(module, policyFunction(index, 'authorize')),
    canAllowRequest: canAllow(module, policyFunction(index, 'authorize_request')),
    firstRoute,
    routes: registry.routes.length,
    scratch: frontend.scratch,
    tables: registry.tables.map((table) => ({
      name: table.name,
      keyKind: table.keyKind,
      entries: table.entries.map(({ key, value }) => [key.value.toString(), value] as const),
    })),
    cidrs: registry.cidrs.map((set) => ({
      name: set.name,
      prefixes: set.prefixes.map((p) => p.text),
    })),
    ports: registry.ports.map((set) => ({
      name: set.name,
      ranges: set.ranges.map(({ first, last }) => [first, last] as const),
    })),
    keys: registry.keys.map(({ name, kinds, entries }) => ({
      name,
      kinds,
      entries: entries.map(
        ({ parts, value }) =>
          [parts.map((p) => (p.kind === 'address' ? p.text : p.value.toString())), value] as const,
      ),
    })),
    rules: registry.rules.map(({ name, rules }) => ({
      name,
      rules: rules.map(({ at, value, priority, criteria }) => ({
        at: at === null ? file : `${at.file}:${at.line}`,
        value,
        priority,
        when: criteria.map(criterionTexts),
      })),
    })),
    patterns: registry.patterns.map(({ name, kind, entries }) => ({
      name,
      kind,
      entries: entries.map(({ text, value }) => [text, value] as const),
    })),
  };
}
