export { CODES as CONFIG_CODES } from './codes.js';
export { PROJECT_DEFAULTS, type ProjectRead, readProject } from './read-project.js';
