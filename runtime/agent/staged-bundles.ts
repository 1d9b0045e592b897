/**
 * Bundles of a node for who serves it: each change is made by a process of its own, which this one knows
 * by its answer alone. It holds no world and no bundle; what a change made is found in the pins and the
 * state document, as after a restart.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BugError } from '../../compiler/diagnostic/index.js';
import { type ActiveBundle, activeBundle } from './active-bundle.js';
import { AgentError } from './agent-error.js';
import type { BundleSettings, BundleTask, TaskAnswers, TaskPlace } from './bundle-task.js';
import type { Applied, NodeBundles } from './bundles.js';
import { CODES } from './codes.js';
import type { FollowedTask, KeptFollowed } from './keep-followed.js';
import type { Paths } from './paths.js';
import { refusalOf } from './refusal.js';
import { type EnforcedStatus, enforcedStatus } from './status.js';
import { decodeFault, type TaskFault } from './task-fault.js';

export interface StagerJob {
  readonly task: BundleTask;
  readonly settings: BundleSettings;
  readonly paths: Paths;
}

export type StagerAnswer = { readonly value: unknown } | { readonly fault: TaskFault };

/** What an agent asks of the bundles of its node. */
export interface StagedBundles extends Pick<NodeBundles, 'apply' | 'boot' | 'world'> {
  /** As NodeBundles.adopt, of a file, `oci:DIR`, `oci-archive:FILE` or a registry reference. */
  adopt(place: string): Promise<TaskAnswers['adopt']>;
  /** The world of what was laid down (`layPicture`) is kept. Rejects with A031. */
  keep(followed: FollowedTask): Promise<KeptFollowed>;
  active(): ActiveBundle | null;
  /** What is in force and what it decided. */
  enforced(): EnforcedStatus;
}

type Perform = <K extends BundleTask['kind']>(
  task: Extract<BundleTask, { kind: K }>,
) => Promise<TaskAnswers[K]>;

function staged(
  { kernel, paths }: Pick<TaskPlace, 'kernel' | 'paths'>,
  perform: Perform,
): StagedBundles {
  return {
    adopt: (place) => perform({ kind: 'adopt', place }),
    boot: () => perform({ kind: 'boot' }),
    keep: (followed) => perform({ kind: 'keep', ...followed }),
    world: () => perform({ kind: 'world' }),
    active: () => activeBundle(kernel, paths),
    enforced: () => enforcedStatus(kernel, paths),
    apply: async (bundle, signatures, mode): Promise<Applied> => {
      try {
        return await perform({ kind: 'apply', bundle, signatures, mode });
      } catch (error) {
        const refusal = refusalOf(error);
        if (refusal === null) throw error;
        return refusal;
      }
    },
  };
}

/** In this very process: of tests, whose agents have paths of their own. */
export function bundlesHere(place: TaskPlace, settings: BundleSettings): StagedBundles {
  return staged(place, async (task) => {
    const { performTask } = await import('./bundle-task.js');
    return performTask(task, place, settings);
  });
}

/** Of the program: beside this module under tests, beside the bundled program in the package. */
export function stagerFile(): string {
  const candidates = ['./stager.js', './agent-stager.mjs'];
  const paths = candidates.map((name) => fileURLToPath(new URL(name, import.meta.url)));
  const found = paths.find((path) => existsSync(path));
  if (found === undefined) throw new BugError(`no stager among ${paths.join(', ')}`);
  return found;
}

function ended(how: string): AgentError {
  const message = `the process that brings bundles into force ended (${how})`;
  return new AgentError('A043', message, CODES['A043']?.help ?? null);
}

/** What the keeper of this process says to it alone. */
const OWN_WORDS = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'LISTEN_PID'];

function ask(command: readonly string[], job: StagerJob, env: TaskPlace['env']): Promise<unknown> {
  const [program = '', ...args] = command;
  const others = Object.entries(env).filter(([name]) => !OWN_WORDS.includes(name));
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
      env: Object.fromEntries(others),
    });
    child.once('message', (answer: StagerAnswer) => {
      if ('fault' in answer) reject(decodeFault(answer.fault));
      else resolve(answer.value);
    });
    child.once('error', (error) => reject(ended(error.message)));
    child.once('close', (code, signal) => reject(ended(signal ?? `exit code ${code}`)));
    child.send(job);
  });
}

/** By processes of their own; `command` starts one. */
export function bundlesElsewhere(
  command: readonly string[],
  place: TaskPlace,
  settings: BundleSettings,
): StagedBundles {
  const { paths, env } = place;
  // INVARIANT: stager.ts answers a task with the answer of its kind.
  const perform = async (task: BundleTask): Promise<unknown> =>
    ask(command, { task, settings, paths }, env);
  return staged(place, perform as Perform);
}
