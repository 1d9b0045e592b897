export { CODES as CONTROL_CODES } from './codes.js';
export { type Control, type ControlOptions, openControl } from './server.js';
