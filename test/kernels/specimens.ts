/** The samples that every kernel has to take: the examples, and request policies of each kind. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileProject, encodeBundle } from '../../compiler/index.js';
import { readProject } from '../../runtime/config/index.js';
import { wizerSnapshot } from '../../runtime/snapshot/index.js';
import { ANSWER_POLICIES } from '../support/answer-scenario.js';
import { BOOKINFO } from '../support/bookinfo-world.js';
import { parseCaseFile } from '../support/case-file.js';
import { type ConfigText, mustCompile } from '../support/compile-texts.js';
import { REQUEST_POLICIES } from '../support/request-scenario.js';
import type { Specimen } from './measure.js';
import { SMOKE_POLICY, SMOKE_WORLD } from './smoke.js';

const EXAMPLES = fileURLToPath(new URL('../../../policies/examples/', import.meta.url));
const CASES = fileURLToPath(new URL('../../../test/case/', import.meta.url));

async function example(name: string): Promise<Specimen> {
  const read = (path: string): string | null => {
    try {
      return readFileSync(join(EXAMPLES, name, path), 'utf8');
    } catch {
      return null;
    }
  };
  const { project } = readProject(read('weft.json') ?? '', 'weft.json');
  if (project === null) throw new Error(`${name}: a faulty weft.json`);
  const compiled = await compileProject({
    project,
    read,
    snapshot: wizerSnapshot,
    checkCluster: null,
  });
  if (!compiled.ok) throw new Error(`${name} does not compile`);
  return { name, bundle: compiled.bundle, world: read('world.yaml') ?? '' };
}

/** Compiles them all, in a fixed order. */
export async function compileSpecimens(): Promise<readonly Specimen[]> {
  const specimens: Specimen[] = [];
  for (const name of readdirSync(EXAMPLES).sort()) specimens.push(await example(name));
  const [requests = ''] = [...REQUEST_POLICIES.values()];
  const texts = {
    // Every cluster has to be in the world, or the bundle is not staged; and a loop that only fuel
    // ends is more than a kernel without may_goto goes through.
    requests: [requests.replace('/v9', '/v1').replace(/\n.*query\("loop"\).*/, ''), BOOKINFO],
    smoke: [SMOKE_POLICY, SMOKE_WORLD],
  } as const;
  for (const [name, [text, world]] of Object.entries(texts))
    specimens.push({ name, bundle: await mustCompile(new Map([['policy.ts', text]])), world });
  specimens.push({ name: 'answers', bundle: await mustCompile(ANSWER_POLICIES), world: BOOKINFO });
  const views = parseCaseFile('views', readFileSync(join(CASES, 'request-views.case'), 'utf8'));
  const bundle = await mustCompile(views.policies, views.config as ConfigText);
  return [...specimens, { name: 'views', bundle, world: BOOKINFO }];
}

/** Writes them for the guest: numbered, so that their order is this one. */
export async function writeSpecimens(folder: string): Promise<void> {
  for (const [index, { name, bundle, world }] of (await compileSpecimens()).entries()) {
    const file = join(folder, `${String(index).padStart(2, '0')}-${name}`);
    writeFileSync(`${file}.weft`, encodeBundle(bundle));
    writeFileSync(`${file}.yaml`, world);
  }
}
