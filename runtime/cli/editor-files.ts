/** What lets an editor know the types of "weft", and the forms of weft.json and its YAML files: docs/howto/editor.md. */
import { existsSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of this package: what stands beside `dist`. */
export function packageRoot(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const parents = ['..', '../..', '../../..'].map((path) => join(here, path));
  return parents.find((path) => existsSync(join(path, 'policies/tsconfig.json'))) ?? here;
}

/** The package as a project's files name it: by its name where it is installed there, else by the way to it. */
function packageName(folder: string, root: string): string {
  for (let at = folder; at !== dirname(at); at = dirname(at)) {
    if (existsSync(join(at, 'node_modules/weft/policies/tsconfig.json'))) return 'weft';
  }
  const way = relative(folder, root).split(sep).join('/');
  const isNear = folder.split(sep)[1] === root.split(sep)[1];
  if (!isNear) return root.split(sep).join('/');
  return way.startsWith('.') ? way : `./${way}`;
}

/** Text by path. */
export function editorFiles(
  folder: string,
  root: string = packageRoot(),
): Readonly<Record<string, string>> {
  const name = packageName(folder, root);
  // Schemas are found by place, not as packages.
  const place = name === 'weft' ? './node_modules/weft' : name;
  const schema = (file: string): string => `${place}/runtime/schema/${file}.schema.json`;
  const settings = {
    'json.schemas': [{ fileMatch: ['/weft.json'], url: schema('weft') }],
    'yaml.schemas': {
      [schema('world')]: ['world.yaml', '*.world.yaml'],
      [schema('scenario')]: ['scenario.yaml', '*.scenario.yaml'],
    },
  };
  const config = { extends: `${name}/policies/tsconfig.json`, include: ['**/*.ts'] };
  const text = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;
  return { 'tsconfig.json': text(config), '.vscode/settings.json': text(settings) };
}
