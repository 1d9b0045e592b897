export { compileRead, type ProjectBuild, type ReadProject } from './compile-read.js';
export { placeOfText } from './place-of-text.js';
