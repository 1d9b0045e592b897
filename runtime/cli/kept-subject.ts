/**
 * Keeps the bundle of a project folder in `.weft/` of the project, as `weft build` remembers its outputs, so that
 * verbs that need it compile nothing where no input has changed. What had a finding is compiled again, so that
 * it is seen again.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleDigest, decodeBundle, encodeBundle } from '../../compiler/bundle/index.js';
import type { Bundle } from '../../compiler/bundle/manifest.js';
import { findCurrent, noteBuild } from './build-record.js';
import { sha256 } from './digest.js';
import { type Env, pathIn } from './env.js';
import { openProject } from './project.js';
import type { Subject } from './subject.js';
import { writeAtomic } from './write-atomic.js';

function keptFile(folder: string): string {
  return join(folder, '.weft', 'subject.weft');
}

/** The kept bundle of a project; null where it has to be built. */
export function openKept(env: Env, shown: string): Subject | null {
  const folder = pathIn(env, shown);
  const path = keptFile(folder);
  if (findCurrent(folder, path, env.program) === null) return null;
  const decoded = decodeBundle(readFileSync(path));
  if (!decoded.ok) return null;
  const { world, sources } = openProject(env, shown);
  return { bundle: decoded.bundle, digest: decoded.digest, diagnostics: [], world, sources };
}

/** Keeps what was built of inputs. A folder that cannot be written only costs the next verb its shortcut. */
export function keepSubject(
  env: Env,
  shown: string,
  bundle: Bundle,
  inputs: ReadonlyMap<string, string | null>,
): void {
  const folder = pathIn(env, shown);
  const bytes = encodeBundle(bundle);
  try {
    mkdirSync(join(folder, '.weft'), { recursive: true });
    writeAtomic(keptFile(folder), bytes);
  } catch {
    return;
  }
  noteBuild(folder, keptFile(folder), {
    program: env.program,
    inputs: Object.fromEntries(inputs),
    output: sha256(bytes),
    bundle: bundleDigest(bundle),
  });
}
