/**
 * Where a bundle routes, for all inputs at once: each way with the inputs that go it. The rule by which policies are
 * combined is compiler/bundle/combine.ts (`combineRoutes`); which of them are attached, runtime/discovery/policy-targets.ts.
 */
import { type ExportName, ROUTE_MASK, ROUTE_STOPPED, routeText } from '../../compiler/abi/index.js';
import {
  type Attachment,
  FUNCTION_PART,
  type Manifest,
  policyFunction,
} from '../../compiler/index.js';
import { type DecideContext, type Level, type Model, policyRunner } from './decide.js';
import { ALL, NONE } from './diagram.js';
import { opaqueField, SERVICE_FIELD } from './field.js';
import type { Guard, Guards } from './guards.js';
import type { Leaf } from './leaf.js';

/** One way, with all that go it. */
export interface Way {
  /** What is the same in both versions where the way is. */
  readonly key: string;
  /** In words. */
  readonly says: string;
  /** In full where that is known. */
  readonly cluster: string | null;
  readonly guard: Guard;
}

const EXPORT: Readonly<Record<Level, ExportName>> = {
  connection: 'routeConnection',
  request: 'routeRequest',
};

/** The policy that would say it stops, and that is a denial. */
export const STOPS = 'denied: the policy stops';
/** No policy has an opinion. */
export const NO_OPINION = 'no opinion';

/** Which services a policy is attached to. */
function attachedServices(guards: Guards, attach: readonly Attachment[]): Guard {
  const is = (op: 'is' | 'endsWith', text: string): Guard =>
    guards.text(SERVICE_FIELD, { op, text, ignoresCase: false });
  return attach
    .filter(({ workload }) => workload === undefined)
    .map(({ namespace, service }) => {
      const inside =
        namespace === undefined || namespace === '*' ? ALL : is('endsWith', `.${namespace}`);
      return service === undefined ? inside : guards.and(inside, is('is', service));
    })
    .reduce(guards.or, NONE);
}

/** A cluster's full name, where its policy is attached in one namespace. */
function fullName(name: string, attach: readonly Attachment[]): string {
  const [service = '', ...rest] = name.split('/');
  if (service.includes('.')) return name;
  const homes = new Set(
    attach.flatMap(({ namespace, service: of, workload }) =>
      workload === undefined ? [of?.split('.').at(-1) ?? namespace ?? '*'] : [],
    ),
  );
  const [home = '*'] = homes;
  return homes.size === 1 && home !== '*' ? [`${service}.${home}`, ...rest].join('/') : name;
}

/** A route of a manifest, by its number. */
function wayOf({ routes, policies }: Manifest, number: number): Omit<Way, 'guard'> {
  const route = routes[number - 1];
  if (route === undefined) {
    return { key: `route ${number}`, says: `route ${number}`, cluster: null };
  }
  const { policy, ...target } = route;
  if (target.kind !== 'cluster') {
    return { key: JSON.stringify(target), says: routeText(target), cluster: null };
  }
  const name = fullName(target.name, policies[policy]?.attach ?? []);
  const full = { ...target, name };
  return { key: JSON.stringify(full), says: routeText(full), cluster: name };
}

type Read = { readonly way: Omit<Way, 'guard'> } | 'silent';

function readLeaf(leaf: Leaf, { manifest }: Model['bundle'], first: number): Read | null {
  if (leaf.kind !== 'const') return null;
  const route = Number(leaf.value) & ROUTE_MASK;
  if (route === 0) return 'silent';
  if (route !== ROUTE_STOPPED.trap && route !== ROUTE_STOPPED.fuel) {
    return { way: wayOf(manifest, first + route) };
  }
  const outcome = manifest.failure[route === ROUTE_STOPPED.fuel ? 'fuel' : 'trap'];
  const says = outcome === 'deny' ? STOPS : NO_OPINION;
  return { way: { key: says, says, cluster: null } };
}

/** The ways of one level. Throws TooLarge. */
export function decideRoutes(model: Model, level: Level, context: DecideContext): readonly Way[] {
  const { guards, opaques } = context;
  const ways = new Map<string, Way>();
  const add = (way: Omit<Way, 'guard'>, guard: Guard): void => {
    const known = ways.get(way.key)?.guard ?? NONE;
    ways.set(way.key, { ...way, guard: guards.or(known, guard) });
  };
  let rest: Guard = ALL;
  for (const ir of model.policies) {
    const { entry } = ir;
    if (entry.mode !== 'enforce' || !entry.exports.includes(EXPORT[level])) continue;
    const attached = guards.and(attachedServices(guards, entry.attach), rest);
    const name = policyFunction(entry.index, FUNCTION_PART[EXPORT[level]]);
    for (const [leaf, guard] of policyRunner(model, ir, context).run(name, attached)) {
      const here = guards.and(guard, attached);
      const read = readLeaf(leaf, model.bundle, entry.firstRoute);
      if (read === 'silent') continue;
      rest = guards.and(rest, guards.not(here));
      if (read !== null) {
        add(read.way, here);
        continue;
      }
      // Which way that is depends on a line that is not looked into: the same in both versions, or nobody knows.
      const at = leaf.kind === 'opaque' ? opaques.placeOf(leaf.number) : null;
      const open = opaques.leaf(`goes by ${leaf.key}`, at);
      const isSo = open.kind === 'opaque' ? guards.flag(opaqueField(open.number)) : NONE;
      const key = `unknown ${leaf.key}`;
      const way = { says: 'a way that is not looked into', cluster: null };
      add({ ...way, key }, guards.and(here, isSo));
      add({ ...way, key: `${key} else` }, guards.and(here, guards.not(isSo)));
    }
  }
  add({ key: NO_OPINION, says: NO_OPINION, cluster: null }, rest);
  return [...ways.values()].filter(({ guard }) => guard !== NONE);
}
