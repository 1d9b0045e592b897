/** Everything about the bytes that the data plane and the agent share. */
export * from './event-codec.js';
export * from './harness-codec.js';
export * from './map-codec.js';
export * from './request-codec.js';
export * from './request-layout.js';
export * from './struct-layout.js';
