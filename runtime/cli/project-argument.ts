/** A project that is named by its weft.json, as shells complete it, is the folder that this lies in. */
import { statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { ArgumentSpec } from './command-spec.js';
import { type Env, pathIn } from './env.js';

/** Arguments that may be a project. */
const PROJECT = /^[<[](DIR|BUNDLE|OLD|NEW)[>\]]$/;

/** An argument as verbs take it. */
export function projectArgument(env: Env, spec: ArgumentSpec | undefined, text: string): string {
  if (basename(text) !== 'weft.json' || !PROJECT.test(spec?.syntax ?? '')) return text;
  const found = statSync(pathIn(env, text), { throwIfNoEntry: false });
  return found?.isFile() === true ? dirname(text) : text;
}
