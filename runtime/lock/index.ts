export { type Kept, type Taken, takeLock } from './take-lock.js';
