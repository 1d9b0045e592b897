/** Reads what encodeBundle wrote, and what other tools make of it: an OCI image layout in a tar file. */
import { type ParsedTarFileItem, type ParseTarOptions, parseTar } from 'nanotar';
import { checkTar } from './check-tar.js';
import { type DecodeOutcome, openImage } from './decode-image.js';
import { chooseManifest, readImageManifest } from './image-manifest.js';
import { MAX_BUNDLE_BYTES } from './limits.js';
import { blobPath, type Image, OCI_INDEX_FILE, OCI_LAYOUT_FILE } from './oci.js';
import { answering, field, Refusal, type Refused, readJson } from './refusal.js';

type Files = ReadonlyMap<string, Uint8Array>;

/** Decodes an archive; refuses with B1xx where it is not whole, not ours, or altered. */
export function decodeBundle(archive: Uint8Array): DecodeOutcome {
  return answering(() => {
    const opened = openImage(imageOf(archive, null));
    checkFrame(archive);
    return opened;
  });
}

/**
 * The image in an archive, as its bytes: what is pushed is what was built. Its digests are not
 * checked yet. `name` is a tag or digest; null where the archive has one bundle.
 */
export function readArchive(
  archive: Uint8Array,
  name: string | null,
): { readonly ok: true; readonly image: Image } | Refused {
  return answering(() => ({ ok: true, image: imageOf(archive, name) }) as const);
}

function imageOf(archive: Uint8Array, name: string | null): Image {
  const files = readFiles(archive);
  const index = readJson(files.get(OCI_INDEX_FILE), OCI_INDEX_FILE);
  const { digest } = chooseManifest(index, name);
  const blob = (of: string): Uint8Array => {
    const bytes = files.get(blobPath(of));
    if (bytes !== undefined) return bytes;
    checkFrame(archive); // a file whose name was altered is missing too
    throw new Refusal('B102', `the bundle has no blob \`${of}\``);
  };
  const manifest = blob(digest);
  const { config, layers } = readImageManifest(manifest, digest);
  const blobs = new Map([config, ...layers].map((d) => [d.digest, blob(d.digest)]));
  return { digest, manifest, blobs };
}

/** POSIX.1-1988 ustar: what each header says at 257. */
const MAGIC = { at: 257, text: 'ustar' } as const;

function readFiles(archive: Uint8Array): Files {
  if (archive.length === 0) throw new Refusal('B102', 'the file is empty');
  if (archive.length > MAX_BUNDLE_BYTES) {
    const message = `the archive has ${archive.length} bytes, more than ${MAX_BUNDLE_BYTES}`;
    throw new Refusal('B106', message);
  }
  const magic = archive.subarray(MAGIC.at, MAGIC.at + MAGIC.text.length);
  if (magic.length === MAGIC.text.length && new TextDecoder().decode(magic) !== MAGIC.text) {
    throw new Refusal('B101', 'the file is no tar archive');
  }
  const files = new Map<string, Uint8Array>();
  let entries: ParsedTarFileItem[];
  try {
    entries = parseTar<never, ParseTarOptions, ParsedTarFileItem>(new Uint8Array(archive)); // a copy, which slice() of a Buffer is not: nanotar reads all that lies behind a view
  } catch {
    throw new Refusal('B102', 'the archive is cut off');
  }
  for (const { name, type, data } of entries) {
    if (type === 'directory') continue;
    if (files.has(name)) throw new Refusal('B101', `the archive holds \`${name}\` twice`);
    files.set(name, data ?? new Uint8Array());
  }
  for (const name of [OCI_LAYOUT_FILE, OCI_INDEX_FILE]) {
    if (files.has(name)) continue;
    if (files.size > 0) checkFrame(archive); // it may lie behind where the archive is cut
    throw new Refusal('B101', `the archive has no \`${name}\``);
  }
  checkLayout(files.get(OCI_LAYOUT_FILE));
  return files;
}

/** Refuses with B104 a layout of a version that is not known. */
export function checkLayout(bytes: Uint8Array | undefined): void {
  if (field(readJson(bytes, OCI_LAYOUT_FILE), 'imageLayoutVersion') !== '1.0.0') {
    throw new Refusal('B104', 'the OCI layout has an unknown version');
  }
}

/** After the digests, whose findings say more. */
function checkFrame(archive: Uint8Array): void {
  const fault = checkTar(archive);
  if (fault === 'cut') throw new Refusal('B102', 'the archive is cut off');
  if (fault === 'altered') throw new Refusal('B103', 'the archive was altered between its files');
}
