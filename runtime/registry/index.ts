export { CODES as REGISTRY_CODES } from './codes.js';
export { ImageError } from './image-error.js';
export {
  addLayoutSignatures,
  readLayoutImage,
  readLayoutSignatures,
  writeLayoutImage,
} from './layout.js';
export {
  type Place,
  parsePlace,
  parseReference,
  type Reference,
  referenceText,
} from './reference.js';
export type { Subject } from './referrer.js';
export { isRegistryError, RegistryError } from './registry-error.js';
export {
  type Access,
  openRegistry,
  pullImage,
  pullSignatures,
  pushImage,
  pushSignatures,
} from './remote.js';
