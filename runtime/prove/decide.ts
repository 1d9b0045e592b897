/**
 * What a bundle decides, for all inputs at once: each deciding line with the inputs that it decides. The rule by which
 * policies are combined is compiler/bundle/combine.ts; which of them are attached, runtime/discovery/policy-targets.ts.
 */
import {
  type ExportName,
  STOPPED,
  VERDICT,
  VERDICT_BITS,
  VERDICT_MASK,
} from '../../compiler/abi/index.js';
import { canonicalJson } from '../../compiler/bundle/index.js';
import {
  type Attachment,
  type Bundle,
  FUNCTION_PART,
  type Outcome,
  type PolicyEntry,
  type PolicyIr,
  policyFunction,
  reopenPolicy,
} from '../../compiler/index.js';
import { ALL, NONE } from './diagram.js';
import { attributeField, HTTP_FIELD, knownField, opaqueField, serviceField } from './field.js';
import type { Guard, Guards } from './guards.js';
import type { Leaf, Opaques, Value } from './leaf.js';
import type { ListName } from './named-search.js';
import { FunctionRunner } from './run-function.js';

export type Level = 'connection' | 'request';
export type ProvableBundle = Pick<Bundle, 'manifest' | 'wasm' | 'maps'>;

/** A bundle with its policies as IR. */
export interface Model {
  readonly bundle: ProvableBundle;
  readonly policies: readonly PolicyIr[];
  /** Tells it from the other one. */
  readonly tag: string;
}

/**
 * Keys of the manifest are put in order: a build has them in another one than a file, and routes, tables and calls of two
 * versions are the same where their texts are.
 */
export function modelOf({ manifest: given, ...rest }: ProvableBundle, tag: string): Model {
  const manifest = JSON.parse(canonicalJson(given)) as ProvableBundle['manifest'];
  const bundle = { ...rest, manifest };
  const policies = manifest.policies.map((entry) => reopenPolicy(bundle, entry));
  return { bundle, policies, tag };
}

/** What one policy says, and where. */
export interface Said {
  readonly says: 'allow' | 'deny' | 'other';
  /** 0 where it stopped early. */
  readonly site: number;
  readonly guard: Guard;
}
export interface Spoken {
  readonly entry: PolicyEntry;
  readonly attached: Guard;
  /** Of attached destinations only. */
  readonly answers: readonly Said[];
}

/** The inputs that are let in, and by whom. */
export interface Decided {
  readonly allow: Guard;
  /** Of requests: those whose connection is let in, or is not asked about. */
  readonly connected: Guard;
  readonly spoken: readonly Spoken[];
}

const EXPORT: Readonly<Record<Level, ExportName>> = {
  connection: 'authorizeConnection',
  request: 'authorizeRequest',
};

export interface DecideContext {
  readonly guards: Guards;
  readonly opaques: Opaques;
  /** See RunContext. */
  readonly closedLists: ReadonlySet<ListName>;
  readonly ignoresAnswers?: boolean;
}

/** Which destinations a policy is attached to. */
export function attachedTo(guards: Guards, attach: readonly Attachment[]): Guard {
  const items = attach.map(({ namespace, workload, service }) => {
    const conditions = [
      ...(namespace === undefined || namespace === '*'
        ? []
        : [['namespace', null, namespace] as const]),
      ...Object.entries(workload ?? {}).map(([key, value]) => ['label', key, value] as const),
    ].map(([attribute, key, text]) =>
      guards.text(attributeField('destination', attribute, key), {
        op: 'is',
        text,
        ignoresCase: false,
      }),
    );
    const behind = service === undefined ? ALL : guards.flag(serviceField(service));
    return conditions.reduce(guards.and, behind);
  });
  const any = items.reduce(guards.or, NONE);
  return guards.and(any, guards.flag(knownField('destination')));
}

function readLeaf(
  leaf: Leaf,
  failure: { readonly trap: Outcome; readonly fuel: Outcome },
): Omit<Said, 'guard'> | null {
  if (leaf.kind !== 'const') return null;
  const word = Number(leaf.value);
  const site = word >>> VERDICT_BITS;
  switch (word & VERDICT_MASK) {
    case VERDICT.allow:
      return { says: 'allow', site };
    case VERDICT.deny:
      return { says: 'deny', site };
    case VERDICT.pass:
    case VERDICT.audit:
      return { says: 'other', site };
    case STOPPED.fuel:
      return { says: failure.fuel, site: 0 };
    default:
      return { says: failure.trap, site: 0 };
  }
}

/** The answers of a policy; one that is not known is each of the three for some inputs that nobody can tell. */
function answersOf(
  value: Value,
  model: Model,
  { guards, opaques }: DecideContext,
): readonly Said[] {
  const { failure } = model.bundle.manifest;
  return value.flatMap(([leaf, guard]): Said[] => {
    const read = readLeaf(leaf, failure);
    if (read !== null) return [{ ...read, guard }];
    const isSo = (what: string): Guard => {
      const open = opaques.leaf(
        `${what} ${leaf.key}`,
        leaf.kind === 'opaque' ? opaques.placeOf(leaf.number) : null,
      );
      return open.kind === 'opaque' ? guards.flag(opaqueField(open.number)) : NONE;
    };
    const [allows, denies] = [isSo('allows'), isSo('denies')];
    const rest = guards.and(guard, guards.not(allows));
    return [
      { says: 'allow', site: 0, guard: guards.and(guard, allows) },
      { says: 'deny', site: 0, guard: guards.and(rest, denies) },
      { says: 'other', site: 0, guard: guards.and(rest, guards.not(denies)) },
    ];
  });
}

/** Runs the functions of one of a model's policies. */
export function policyRunner(
  { bundle: { manifest }, tag }: Model,
  ir: PolicyIr,
  { guards, opaques, closedLists, ignoresAnswers = false }: DecideContext,
): FunctionRunner {
  const { entry } = ir;
  return new FunctionRunner({
    ...{ guards, opaques, ir, closedLists, ignoresAnswers },
    subject: { manifest, entry },
    tag: `${tag} ${entry.name}`,
  });
}

/** What the policies of one level say. Throws TooLarge. */
export function decide(model: Model, level: Level, context: DecideContext): Decided {
  const { guards } = context;
  const spoken = model.policies
    .filter(({ entry }) => entry.exports.includes(EXPORT[level]))
    .map((ir): Spoken => {
      const { entry } = ir;
      const attached = attachedTo(guards, entry.attach);
      const name = policyFunction(entry.index, FUNCTION_PART[EXPORT[level]]);
      const value = policyRunner(model, ir, context).run(name, attached);
      return { entry, attached, answers: answersOf(value, model, context) };
    });
  const enforced = spoken.filter(({ entry }) => entry.mode === 'enforce');
  const where = (says: Said['says']): Guard =>
    enforced
      .flatMap(({ answers, attached }) =>
        answers
          .filter((said) => said.says === says)
          .map(({ guard }) => guards.and(guard, attached)),
      )
      .reduce(guards.or, NONE);
  const [denied, allowed] = [where('deny'), where('allow')];
  const capable = enforced
    .filter(({ entry }) => (level === 'request' ? entry.canAllowRequest : entry.canAllow))
    .reduce<Guard>((any, { attached }) => guards.or(any, attached), NONE);
  const silent = model.bundle.manifest.default === 'allow' ? guards.not(capable) : NONE;
  const allow = guards.and(guards.or(allowed, silent), guards.not(denied));
  return { allow, connected: allow, spoken };
}

/** Destinations with a policy of a level, whatever its mode. */
function hasPolicies({ bundle }: Model, level: Level, guards: Guards): Guard {
  return bundle.manifest.policies
    .filter(({ exports }) => exports.includes(EXPORT[level]))
    .reduce<Guard>((any, { attach }) => guards.or(any, attachedTo(guards, attach)), NONE);
}

/**
 * The connections that are let in: also those that are let be, being no question of their own, as `takeLetBe` in
 * runtime/simulate/flow-steps.ts has it.
 */
export function decideConnections(model: Model, context: DecideContext): Decided {
  const { guards } = context;
  const asked = decide(model, 'connection', context);
  const isOfRequests = guards.and(
    hasPolicies(model, 'request', guards),
    guards.not(hasPolicies(model, 'connection', guards)),
  );
  // Where nobody speaks of requests, nothing asks for HTTP.
  if (isOfRequests === NONE) return asked;
  const allow = guards.or(asked.allow, guards.and(isOfRequests, guards.flag(HTTP_FIELD)));
  return { ...asked, allow, connected: allow };
}

/** The requests that are let in: their connection is asked about too, but where policies are about requests alone. */
export function decideRequests(model: Model, context: DecideContext): Decided {
  const { guards } = context;
  const [connection, request] = [
    decide(model, 'connection', context),
    decide(model, 'request', context),
  ];
  const [hasConnection, hasRequest] = [
    hasPolicies(model, 'connection', guards),
    hasPolicies(model, 'request', guards),
  ];
  const isAsked = guards.or(hasConnection, guards.not(hasRequest));
  const connected = guards.or(guards.not(isAsked), connection.allow);
  const allow = guards.and(connected, guards.or(guards.not(hasRequest), request.allow));
  return { allow, connected, spoken: [...connection.spoken, ...request.spoken] };
}
