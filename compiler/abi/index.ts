export * from './attribute.js';
export * from './imports.js';
export * from './layout.js';
export * from './verdict.js';
