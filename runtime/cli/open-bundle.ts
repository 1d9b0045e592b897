/** What the verbs that carry bundles about work on: a bundle that was checked, its bytes, its place. */
import { existsSync, statSync } from 'node:fs';
import { decodeImage, encodeImage, type Image } from '../../compiler/bundle/index.js';
import { diagnostic } from '../../compiler/diagnostic/index.js';
import { type Access, type Place, parsePlace } from '../registry/index.js';
import { readPlace, readSignatures } from './bundle-place.js';
import { type Env, pathIn } from './env.js';
import { EXIT } from './exit.js';
import { CliError } from './failure.js';
import { openSubject, type Subject, subjectOf } from './subject.js';

export interface OpenedBundle {
  readonly subject: Subject;
  readonly image: Image;
  /** Null for a project folder, which is nowhere yet. */
  readonly place: Place | null;
  /** As they were found with the bundle, not looked at. */
  readonly signatures: readonly string[];
}

/** Opens a bundle with its signatures. Rejects with CliError, RegistryError. */
export async function openBundle(env: Env, shown: string, access: Access): Promise<OpenedBundle> {
  const path = pathIn(env, shown);
  const isThere = existsSync(path);
  if (isThere && statSync(path).isDirectory()) {
    const subject = await openSubject(env, shown, { access });
    return { subject, image: encodeImage(subject.bundle), place: null, signatures: [] };
  }
  const place: Place = isThere ? { kind: 'file', path: shown, name: null } : parsePlace(shown);
  // Of a file also the frame around the image is looked at, which pushing loses.
  const whole =
    place.kind === 'file' && place.path === shown
      ? await openSubject(env, shown, { access })
      : null;
  const image = await readPlace(env, place, { shown, access });
  const subject = whole ?? subjectOf(decodeImage(image), shown);
  const signatures = await readSignatures(env, place, { digest: image.digest, access });
  return { subject, image, place, signatures };
}

/** As `openBundle`, where the bundle must lie somewhere. Rejects with CliError U013 for a project folder. */
export async function openPlaced(
  env: Env,
  shown: string,
  access: Access,
): Promise<OpenedBundle & { readonly place: Place }> {
  const opened = await openBundle(env, shown, access);
  const { place } = opened;
  if (place !== null) return { ...opened, place };
  const message = `\`${shown}\` is a project, not a bundle`;
  const help = 'build it first: `weft build DIR --out FILE`';
  throw new CliError([diagnostic('U013', message, { help })], EXIT.usage);
}
