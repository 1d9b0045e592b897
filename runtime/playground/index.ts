export { addCase } from './add-case.js';
export { Playground } from './playground.js';
export { CONFIG_FILE, scenarioFile } from './project-files.js';
export { readShared, type Shared, shareText } from './share.js';
export type * from './types.js';
