export { applyEdits, describeEdits, requestPath } from './apply-edits.js';
export * from './frame.js';
export * from './head.js';
export { decodeLatin1, encodeLatin1 } from './latin1.js';
export { locationOf, type Redirected, redirectedOf, redirectReply } from './locate.js';
export * from './read-module.js';
export { replacePrefix, rewritePath } from './rewrite-path.js';
