/** Weft on this node for the time of the suite: the project built, loaded, every member enrolled. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Paths, unload } from '../../../runtime/agent/index.js';
import { findCgroup2, openKernel } from '../../../runtime/kernel/index.js';
import { type Transcript, weft } from '../../cli/harness.js';
import { PROJECT } from './project.js';

export class Mesh {
  readonly #cwd: string;
  readonly #paths: Paths;

  constructor() {
    const cgroups = findCgroup2();
    if (cgroups === null) throw new Error('cgroup2 is not mounted');
    this.#cwd = mkdtempSync(join(tmpdir(), 'weft-http-'));
    const pins = `/sys/fs/bpf/weft-http-${process.pid}`;
    this.#paths = { pins, run: join(this.#cwd, 'run'), cgroups };
  }

  async #run(...args: string[]): Promise<Transcript> {
    const kernel = async () => openKernel();
    const done = await weft(args, { cwd: this.#cwd, paths: this.#paths, openKernel: kernel });
    if (done.exit !== 0) throw new Error(`weft ${args.join(' ')}: ${done.stderr}${done.stdout}`);
    return done;
  }

  /** Loads and enrols. From here on the members' new sockets are judged. */
  async start(): Promise<void> {
    for (const [path, text] of PROJECT) {
      const file = join(this.#cwd, 'project', path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    await this.#run('build', 'project', '--out', 'torture.weft');
    await this.#run('load', 'torture.weft', '--world', 'project/world.yaml');
    await this.#run('enrol', '--all');
  }

  stop(): void {
    unload(openKernel(), this.#paths);
    rmSync(this.#cwd, { recursive: true, force: true });
  }
}
