/** Weft on this node for the time of the suite: the project built, loaded, every member enrolled. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Paths, unload } from '../../../runtime/agent/index.js';
import { runAgent } from '../../../runtime/agent/run-agent.js';
import { findCgroup2, openKernel } from '../../../runtime/kernel/index.js';
import { type Transcript, weft } from '../../cli/harness.js';
import { agentEnv } from '../../support/agent-env.js';
import { nodeFolders } from '../../support/node-folders.js';
import { PROJECT } from './project.js';

/** In the world's order: enrolled in it. */
const NAMES_IN_MESH = ['client.prod', 'v1.prod', 'v2.prod', 'other.prod'] as const;

export class Mesh {
  readonly #end: AbortController = new AbortController();
  #agent: Promise<number> | null = null;
  #said = '';
  readonly #cwd: string;
  readonly #paths: Paths;

  constructor() {
    const cgroups = findCgroup2();
    if (cgroups === null) throw new Error('cgroup2 is not mounted');
    this.#cwd = mkdtempSync(join(tmpdir(), 'weft-http-'));
    const pins = `/sys/fs/bpf/weft-http-${process.pid}`;
    this.#paths = { pins, ...nodeFolders(join(this.#cwd, 'run')), cgroups };
  }

  async #run(...args: string[]): Promise<Transcript> {
    const kernel = async () => openKernel();
    const done = await weft(args, { cwd: this.#cwd, paths: this.#paths, openKernel: kernel });
    if (done.exit !== 0) throw new Error(`weft ${args.join(' ')}: ${done.stderr}${done.stdout}`);
    return done;
  }

  /** Starts the agent, which loads with `flags` and enrols. From here on the members' new sockets are judged. */
  async start(...flags: readonly string[]): Promise<void> {
    for (const [path, text] of PROJECT) {
      const file = join(this.#cwd, 'project', path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    await this.#run('build', 'project', '--out', 'torture.weft');
    const bundle = ['--bundle', join(this.#cwd, 'torture.weft')];
    const world = ['--world', join(this.#cwd, 'project/world.yaml')];
    await new Promise<void>((resolve, reject) => {
      const stderr = (text: string): void => {
        this.#said += text;
        if (text.startsWith(`enrolled ${NAMES_IN_MESH.at(-1)}`)) resolve();
      };
      const env = agentEnv(this.#paths, this.#end.signal, { stderr });
      const given = [...bundle, ...world, '--log', 'text', '--enrol', 'all', ...flags];
      const agent = runAgent(given, env);
      this.#agent = agent;
      agent.then((code) => reject(new Error(`the agent ended with ${code}: ${this.#said}`)));
    });
  }

  /** What the agent said, for a failure. */
  get said(): string {
    return this.#said;
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#agent;
    unload(openKernel(), this.#paths);
    rmSync(this.#cwd, { recursive: true, force: true });
  }
}
