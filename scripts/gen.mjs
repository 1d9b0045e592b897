// Writes every generated file of the tree. Each generator is a module in scripts/gen/ that exports
// `generate(root)`: a list of { path, text }, the same for the same sources; it writes nothing itself.
// usage: npm run gen [-- name...] [--check]
// --check writes nothing and fails where a file is not what its generator would write.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const dir = join(root, 'scripts', 'gen');
const words = process.argv.slice(2);
const isCheck = words.includes('--check');
const asked = words.filter((word) => word !== '--check');
const known = readdirSync(dir)
  .filter((name) => name.endsWith('.mjs'))
  .map((name) => name.slice(0, -'.mjs'.length))
  .sort();
for (const name of asked) {
  if (!known.includes(name)) {
    console.error(`unknown generator \`${name}\`; known: ${known.join(', ')}`);
    process.exit(64);
  }
}

const stale = [];
for (const name of asked.length > 0 ? asked : known) {
  const { generate } = await import(pathToFileURL(join(dir, `${name}.mjs`)).href);
  for (const { path, text } of await generate(root)) {
    const full = join(root, path);
    if (existsSync(full) && readFileSync(full, 'utf8') === text) continue;
    stale.push(name);
    if (isCheck) {
      console.error(`${path} is stale: run \`node scripts/gen.mjs ${name}\``);
      continue;
    }
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
    console.error(`${path} written by scripts/gen/${name}.mjs`);
  }
}
if (isCheck && stale.length > 0) process.exit(3);
