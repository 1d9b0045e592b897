export * from './frame.js';
export * from './head.js';
