/** Checks a rollout's document: a machine wrote it, so that it is right or damaged, and no findings are told. */
import { validate } from './gen/rollout.gen.js';

/** Whether a value is one. */
export function isRollout(value: unknown): boolean {
  return validate(value);
}
