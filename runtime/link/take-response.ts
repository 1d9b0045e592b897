/** A response of the control plane on this node: each resource applied, what is gone withdrawn, one answer. */
import { messageOf } from '../../compiler/diagnostic/index.js';
import {
  create,
  type DeltaDiscoveryResponse,
  decodeItem,
  type Item,
  MAX_REFUSAL_CHARS,
  NODE_BUNDLE_URL,
  parseResourceName,
  type Refused,
  RefusedSchema,
  resourceName,
  type Status,
  StatusSchema,
  toBinary,
} from '../control/wire/index.js';
import type { Held } from './held.js';
import type { Applied, LinkHooks } from './hooks.js';

/** gRPC's INVALID_ARGUMENT: what was sent cannot be used. */
const INVALID_ARGUMENT = 3;
const REFUSED_URL = 'type.googleapis.com/weft.control.v1.Refused';

type Failed = Extract<Applied, { ok: false }>;

function malformed(message: string): Failed {
  return { ok: false, code: 'C030', message, place: null };
}

/** A refusal as discovery requests carry it: in words, and in parts. */
function statusOf(digest: string, { code, message, place }: Failed): Status {
  const text = place === null ? `${code} ${message}` : `${code} ${message} (${place})`;
  const refused: Refused = create(RefusedSchema, {
    ...{ digest, code, place: place ?? '' },
    message: message.slice(0, MAX_REFUSAL_CHARS),
  });
  return create(StatusSchema, {
    code: INVALID_ARGUMENT,
    message: text.slice(0, MAX_REFUSAL_CHARS),
    details: [{ typeUrl: REFUSED_URL, value: toBinary(RefusedSchema, refused) }],
  });
}

function readItem(
  name: string,
  resource: { readonly typeUrl: string; readonly value: Uint8Array } | undefined,
): Item | Failed {
  if (resource?.typeUrl !== NODE_BUNDLE_URL) return malformed(`resource \`${name}\` is no bundle`);
  try {
    const item = decodeItem(resource.value);
    if (resourceName(item.name, item.mode) === name) return item;
    return malformed(`resource \`${name}\` holds another`);
  } catch (error) {
    const why = messageOf(error);
    return malformed(`resource \`${name}\` cannot be read: ${why}`);
  }
}

/** Applies it; answers with why it was refused, null where all of it was taken. */
export async function takeResponse(
  response: DeltaDiscoveryResponse,
  held: Held,
  hooks: LinkHooks,
): Promise<Status | null> {
  let refused: Status | null = null;
  for (const { name, version, resource } of response.resources) {
    const item = readItem(name, resource);
    const applied = 'ok' in item ? item : await hooks.apply(item);
    if (applied.ok && !('ok' in item)) held.put(name, version, item.digest);
    else if (!applied.ok) refused ??= statusOf('ok' in item ? '' : item.digest, applied);
  }
  for (const name of response.removedResources) {
    const { name: bundle, mode } = parseResourceName(name);
    await hooks.withdraw(bundle, mode);
    held.drop(name);
  }
  return refused;
}
