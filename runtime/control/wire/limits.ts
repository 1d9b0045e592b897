/** Numbers of the protocol between agents, operators and control planes. docs/limits.md prints them. */

/** One message to a control plane: acknowledgements, reports and pieces of a bundle are small. */
export const MAX_REQUEST_BYTES: number = 1024 * 1024;
/** A bundle and its signatures as one resource. */
export const MAX_RESOURCE_BYTES: number = 16 * 1024 * 1024;
/** One message from a control plane: a resource and what is around it, or documents of many nodes. */
export const MAX_RESPONSE_BYTES: number = MAX_RESOURCE_BYTES + MAX_REQUEST_BYTES;
/** A piece of a bundle in `PutBundle`. */
export const PIECE_BYTES: number = 512 * 1024;
/** Names that one request may subscribe to or state versions of. */
export const MAX_NAMES = 256;
/** Characters of a name, version, nonce or label. */
export const MAX_NAME_CHARS = 512;
/** Characters of a refusal's message; longer ones are cut. */
export const MAX_REFUSAL_CHARS = 4096;
/** Labels of a node. */
export const MAX_LABELS = 64;
