export { certificateId } from './certificate-id.js';
export { CODES as IDENTITY_CODES } from './codes.js';
export { channelCredentials, serverCredentials } from './credentials.js';
export { IdentityError } from './identity-error.js';
export { type KeyPair, type KeyPaths, MAX_PEM_BYTES, outOfTime, readKeyPair } from './key-pair.js';
export { type Authenticated, type Peer, peerOf } from './peer.js';
export {
  isName,
  isTrustDomain,
  KINDS,
  type Kind,
  parseSpiffeId,
  printSpiffeId,
  type SpiffeId,
} from './spiffe-id.js';
export { type WatchedKeys, type WatchOptions, watchKeys } from './watch-keys.js';
