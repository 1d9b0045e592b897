/** The object file of a bundle. */
export { type ObjectInput, writeObject } from './write-object.js';
