// A real API server with Debian's etcd, on loopback, in a folder of its own; and how to ask it.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** Somebody who may do anything. */
const ADMIN = 'admin-token';
const TRIES = 600;

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export class ApiServer {
  #folder = mkdtempSync(join(tmpdir(), 'weft-kubernetes-'));
  #children = [];
  #args = [];
  #program;
  port = 0;

  static async start(program) {
    const api = new ApiServer();
    api.#program = program;
    try {
      await api.#start();
    } catch (error) {
      await api.stop();
      throw error;
    }
    return api;
  }

  async #start() {
    const folder = this.#folder;
    const [client, peer] = [await freePort(), await freePort()];
    this.port = await freePort();
    const url = (port) => `http://127.0.0.1:${port}`;
    this.#spawn('etcd', [
      ...['--data-dir', join(folder, 'etcd'), '--log-level', 'error', '--unsafe-no-fsync'],
      ...['--listen-client-urls', url(client), '--advertise-client-urls', url(client)],
      ...['--listen-peer-urls', url(peer), '--initial-advertise-peer-urls', url(peer)],
      ...['--initial-cluster', `default=${url(peer)}`],
    ]);
    const key = join(folder, 'accounts.key');
    const made = spawnSync('openssl', ['genrsa', '-out', key, '2048']);
    if (made.status !== 0) throw new Error('openssl made no key');
    writeFileSync(join(folder, 'tokens.csv'), `${ADMIN},admin,admin,system:masters\n`);
    this.#args = [
      ...['--etcd-servers', url(client), '--secure-port', String(this.port)],
      ...['--bind-address', '127.0.0.1', '--cert-dir', join(folder, 'certificates')],
      ...['--service-account-issuer', 'https://kubernetes.default.svc'],
      ...['--service-account-key-file', key, '--service-account-signing-key-file', key],
      ...['--authorization-mode', 'RBAC', '--token-auth-file', join(folder, 'tokens.csv')],
      ...['--service-cluster-ip-range', '10.96.0.0/16', '--v', '0'],
      // A watch without news is told a bookmark a minute; etcd is compacted by hand.
      ...['--etcd-compaction-interval', '0'],
    ];
    await this.begin();
  }

  #spawn(program, args) {
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (data) => {
      said = (said + data).slice(-4000);
    });
    child.once('error', () => {});
    const one = { child, said: () => said };
    this.#children.push(one);
    return one;
  }

  /** Starts the API server; also again, behind `end`. */
  async begin() {
    const { child, said } = this.#spawn(this.#program, this.#args);
    this.current = child;
    for (let n = 0; n < TRIES; n += 1) {
      if (child.exitCode !== null) throw new Error(said());
      const answer = await this.ask('GET', '/readyz').catch(() => null);
      if (answer?.status === 200) return;
      await wait(100);
    }
    throw new Error(`not ready: ${said()}`);
  }

  /** Ends the API server alone. */
  async end() {
    const { current } = this;
    if (current.exitCode !== null) return;
    const gone = new Promise((resolve) => current.once('exit', resolve));
    current.kill('SIGKILL');
    await gone;
  }

  /** An answer: `{ status, body }`. */
  ask(method, path, body = null, type = 'application/json') {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${ADMIN}`, 'content-type': type };
      const place = { host: '127.0.0.1', port: this.port, path, method, headers };
      // Its certificate is its own; the agent is given it as its authority.
      const asked = request({ ...place, rejectUnauthorized: false }, (response) => {
        let text = '';
        response.on('data', (data) => {
          text += data;
        });
        response.on('end', () => {
          const isJson = text.startsWith('{');
          resolve({ status: response.statusCode, body: isJson ? JSON.parse(text) : text });
        });
      });
      asked.on('error', reject);
      asked.end(body === null ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
    });
  }

  /** As `ask`; throws where the answer is no success. */
  async must(method, path, body, type) {
    const answer = await this.ask(method, path, body, type);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  get authority() {
    return readFileSync(join(this.#folder, 'certificates/apiserver.crt'), 'utf8');
  }

  /** Files as kubelet mounts them for an account; the token as the API server gives it. */
  async mount(namespace, account) {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`;
    const spec = { expirationSeconds: 3600, audiences: [] };
    const { status } = await this.must('POST', path, {
      ...{ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec },
    });
    writeFileSync(join(this.#folder, 'token'), status.token);
    writeFileSync(join(this.#folder, 'ca.crt'), this.authority);
    return this.#folder;
  }

  async stop() {
    for (const { child } of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
