/** Writes struct weft_connection, the input of every policy function. */
import { CONNECTION, PARTY, putPolicies } from '../../compiler/abi/index.js';
import type { Identity } from '../discovery/identity.js';

export interface PartyFields {
  /** 16 bytes in network order; null writes zeros. */
  readonly address: Uint8Array | null;
  readonly identity: Identity;
}

export interface ConnectionFields {
  readonly source: PartyFields;
  readonly destination: PartyFields;
  /** Bit per attached policy. */
  readonly policies: bigint;
  readonly now: bigint;
  readonly random: number;
  readonly destinationPort: number;
  readonly protocol: number;
  readonly family: 4 | 6;
}

/** Bytes of an identity, made once: a stream has few identities and many connections. */
const identities = new WeakMap<Identity, Uint8Array>();

function identityBytes(identity: Identity): Uint8Array {
  const known = identities.get(identity);
  if (known !== undefined) return known;
  const bytes = new Uint8Array(PARTY.size - PARTY.predicates);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, identity.predicates, true);
  for (const [slot, symbol] of identity.attributes.entries()) {
    view.setUint32(PARTY.attributes - PARTY.predicates + slot * 4, symbol, true);
  }
  identities.set(identity, bytes);
  return bytes;
}

function writeParty(view: DataView, at: number, { address, identity }: PartyFields): void {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  if (address !== null) bytes.set(address, at + PARTY.address);
  bytes.set(identityBytes(identity), at + PARTY.predicates);
}

/** Writes the fields at an offset that holds zeros. */
export function writeConnection(view: DataView, at: number, fields: ConnectionFields): void {
  writeParty(view, at + CONNECTION.source, fields.source);
  writeParty(view, at + CONNECTION.destination, fields.destination);
  putPolicies(view, at + CONNECTION.policies, fields.policies);
  view.setBigUint64(at + CONNECTION.now, fields.now, true);
  view.setUint32(at + CONNECTION.random, fields.random, true);
  view.setUint16(at + CONNECTION.destinationPort, fields.destinationPort, true);
  view.setUint8(at + CONNECTION.protocol, fields.protocol);
  view.setUint8(at + CONNECTION.family, fields.family);
}

/** Encodes connections one after the other. */
export function encodeConnections(list: readonly ConnectionFields[]): Uint8Array {
  const bytes = new Uint8Array(list.length * CONNECTION.size);
  const view = new DataView(bytes.buffer);
  for (const [index, fields] of list.entries()) {
    writeConnection(view, index * CONNECTION.size, fields);
  }
  return bytes;
}
