export { type Backoff, createBackoff, FIRST_MS, MOST_MS } from './backoff.js';
export { CODES as LINK_CODES } from './codes.js';
export type { Applied, EventWish, LinkHooks, Running } from './hooks.js';
export { type Link, type LinkOptions, type LinkStatus, openLink } from './link.js';
export { PATIENCE, type Patience } from './session.js';
