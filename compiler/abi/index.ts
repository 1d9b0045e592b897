export * from './attribute.js';
export * from './head.js';
export * from './head-names.js';
export * from './imports.js';
export * from './layout.js';
export * from './verdict.js';
export * from './view-hash.js';
