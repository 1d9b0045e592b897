/**
 * The incremental variant of the xDS transport (Envoy's "xDS REST and gRPC protocol", section
 * "Incremental xDS"). Each response brings one resource, so that an answer is about that one.
 */
import type { Resource, View } from './resource.js';
import {
  checkRequest,
  StreamFault,
  type StreamMachine,
  type Told,
  WILDCARD,
} from './stream-machine.js';
import {
  create,
  type DeltaDiscoveryRequest,
  type DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
  MAX_NAMES,
  NODE_BUNDLE_URL,
} from './wire/index.js';

/** A response that the client has not answered. */
interface Open {
  readonly nonce: string;
  readonly resource: Resource | null;
}

/** A stream's side of the server; `control` is how this control plane calls itself. */
export function createDeltaStream(
  control: string,
): StreamMachine<DeltaDiscoveryRequest, DeltaDiscoveryResponse> {
  const names = new Set<string>();
  /** What the client has, or was offered, by version. */
  const offered = new Map<string, string>();
  /** Names that it must be told of, whatever it has. */
  const owed = new Set<string>();
  let isWildcard = false;
  let isFirst = true;
  let open: Open | null = null;
  let count = 0;

  function subscribe(request: DeltaDiscoveryRequest): void {
    for (const name of request.resourceNamesSubscribe) {
      if (name === WILDCARD) {
        isWildcard = true;
        continue;
      }
      names.add(name);
      // A client that asks for what it does not say it has is answered, also that there is none.
      if (isFirst && Object.hasOwn(request.initialResourceVersions, name)) continue;
      offered.delete(name);
      owed.add(name);
    }
    if (names.size > MAX_NAMES) throw new StreamFault(`more than ${MAX_NAMES} names`);
  }

  function unsubscribe(request: DeltaDiscoveryRequest): void {
    for (const name of request.resourceNamesUnsubscribe) {
      if (name === WILDCARD) isWildcard = false;
      names.delete(name);
      owed.delete(name);
      // "All" still names it: the client is told again what there is of it.
      if (isWildcard && offered.delete(name)) owed.add(name);
    }
    for (const name of [...offered.keys()]) {
      if (!isWildcard && !names.has(name)) offered.delete(name);
    }
  }

  function answer(request: DeltaDiscoveryRequest): readonly Told[] {
    // A nonce that is not the open one's is of an answer given before: it says nothing new.
    if (open === null || request.responseNonce !== open.nonce) return [];
    const { resource } = open;
    open = null;
    if (resource === null) return [];
    const { name, version } = resource;
    return [{ name, version, refused: request.errorDetail ?? null }];
  }

  function respond(resource: Resource | null, removed: readonly string[]): DeltaDiscoveryResponse {
    count += 1;
    open = { nonce: String(count), resource };
    return create(DeltaDiscoveryResponseSchema, {
      systemVersionInfo: resource?.version ?? '',
      resources:
        resource === null
          ? []
          : [
              {
                name: resource.name,
                version: resource.version,
                resource: { typeUrl: NODE_BUNDLE_URL, value: resource.body },
              },
            ],
      removedResources: [...removed],
      typeUrl: NODE_BUNDLE_URL,
      nonce: open.nonce,
      controlPlane: { identifier: control },
    });
  }

  return {
    receive(request) {
      const { initialResourceVersions: initial } = request;
      checkRequest(
        request.typeUrl,
        request.resourceNamesSubscribe,
        request.resourceNamesUnsubscribe,
        Object.keys(initial),
        Object.values(initial),
      );
      const told = answer(request);
      if (isFirst) {
        for (const [name, version] of Object.entries(initial)) offered.set(name, version);
        isWildcard = request.resourceNamesSubscribe.length === 0;
      }
      subscribe(request);
      unsubscribe(request);
      isFirst = false;
      return told;
    },
    next({ resources, held }: View) {
      if (open !== null || isFirst) return null;
      const gone = [...new Set([...offered.keys(), ...owed])].filter(
        (name) => !resources.has(name) && !held.has(name),
      );
      if (gone.length > 0) {
        for (const name of gone) {
          offered.delete(name);
          owed.delete(name);
        }
        return respond(null, gone);
      }
      for (const resource of resources.values()) {
        const { name, version } = resource;
        if (!isWildcard && !names.has(name)) continue;
        if (offered.get(name) === version && !owed.has(name)) continue;
        offered.set(name, version);
        owed.delete(name);
        return respond(resource, []);
      }
      return null;
    },
  };
}
