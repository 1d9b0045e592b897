/**
 * The state-of-the-world variant of the xDS transport: each response holds all that the client
 * subscribes to, and one version for all of it. What a response leaves out is gone.
 */
import { type Resource, type View, versionOf } from './resource.js';
import { checkRequest, type StreamMachine, type Told, WILDCARD } from './stream-machine.js';
import {
  create,
  type DiscoveryRequest,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
  NODE_BUNDLE_URL,
} from './wire/index.js';

/** A stream's side of the server; `control` is how this control plane calls itself. */
export function createSotwStream(
  control: string,
): StreamMachine<DiscoveryRequest, DiscoveryResponse> {
  let names: ReadonlySet<string> = new Set();
  /** No name was ever asked for: the client means all. */
  let isWildcard = true;
  let isFirst = true;
  let isOwed = false;
  let nonce = '';
  let sentVersion: string | null = null;
  let open: readonly Resource[] | null = null;
  let count = 0;

  function subscribe(asked: readonly string[]): void {
    const next = new Set(asked);
    if (next.size > 0) isWildcard = next.delete(WILDCARD);
    else if (names.size > 0) isWildcard = false;
    const isSame = next.size === names.size && [...next].every((name) => names.has(name));
    if (!isSame) isOwed = true;
    names = next;
  }

  function select({ resources }: View): readonly Resource[] {
    return [...resources.values()].filter(({ name }) => isWildcard || names.has(name));
  }

  return {
    receive(request) {
      checkRequest(request.typeUrl, request.resourceNames);
      // Of a response before the last one: what it asks for was asked before that one was seen.
      if (!isFirst && request.responseNonce !== nonce) return [];
      const refused = request.errorDetail ?? null;
      const told: Told[] = (open ?? []).map(({ name, version }) => ({ name, version, refused }));
      open = null;
      if (isFirst) isOwed = true;
      isFirst = false;
      subscribe(request.resourceNames);
      return told;
    },
    next(view) {
      if (open !== null || isFirst) return null;
      // A response that left out what cannot be had now would take it away.
      if (view.held.size > 0) return null;
      const resources = select(view);
      const version = versionOf(resources.map((r) => `${r.name} ${r.version}\n`).join(''));
      if (version === sentVersion && !isOwed) return null;
      count += 1;
      nonce = String(count);
      sentVersion = version;
      isOwed = false;
      open = resources;
      return create(DiscoveryResponseSchema, {
        versionInfo: version,
        resources: resources.map(({ body }) => ({ typeUrl: NODE_BUNDLE_URL, value: body })),
        typeUrl: NODE_BUNDLE_URL,
        nonce,
        controlPlane: { identifier: control },
      });
    },
  };
}
