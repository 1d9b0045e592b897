/** Keys and values of the maps by which requests are judged, as bytes. */
import { type Reply, replyBytes } from '../../compiler/abi/index.js';
import { REQUEST_LAYOUT, ROUTE_KIND } from './request-layout.js';
import { ADDRESS_BYTES } from './struct-bytes.js';

function empty(size: number): { readonly view: DataView; readonly bytes: Uint8Array } {
  const bytes = new Uint8Array(size);
  return { view: new DataView(bytes.buffer), bytes };
}

/** Value of weft_routes. */
export function encodeRoute(kind: keyof typeof ROUTE_KIND, value: number): Uint8Array {
  const at = REQUEST_LAYOUT.weft_route;
  const { view, bytes } = empty(at.size);
  view.setUint32(at.kind, ROUTE_KIND[kind], true);
  view.setUint32(at.value, value, true);
  return bytes;
}

/** Key of weft_members; throws RangeError for an address of another length than 16. */
export function encodeMember(cluster: number, address: Uint8Array, port: number): Uint8Array {
  if (address.length !== ADDRESS_BYTES) throw new RangeError(`${address.length} bytes of address`);
  const at = REQUEST_LAYOUT.weft_member;
  const name = REQUEST_LAYOUT.weft_name;
  const { view, bytes } = empty(at.size);
  view.setUint32(at.cluster, cluster, true);
  bytes.set(address, at.endpoint + name.address);
  view.setUint16(at.endpoint + name.port, port, true);
  return bytes;
}

const CLOSE = 'connection: close\r\n';

/** Two values of weft_replies: as it is, and saying that the connection ends. Throws RangeError where it is too long. */
export function encodeReplies(reply: Reply): readonly [Uint8Array, Uint8Array] {
  const closes = reply.head.includes(CLOSE);
  const closing = closes ? reply.head : `${reply.head.slice(0, -2)}${CLOSE}\r\n`;
  return [encodeReply(reply, closes), encodeReply({ ...reply, head: closing }, true)];
}

function encodeReply(reply: Reply, closes: boolean): Uint8Array {
  const at = REQUEST_LAYOUT.weft_reply_bytes;
  const { view, bytes } = empty(at.size);
  const text = replyBytes(reply);
  view.setUint16(at.length, text.length, true);
  view.setUint16(at.head_length, replyBytes(reply, true).length, true);
  view.setUint32(at.closes, closes ? 1 : 0, true);
  bytes.set(text, at.bytes);
  return bytes;
}
