// The real things of Kubernetes, built by Go from its module proxy into .cache/kubernetes, each once: an API
// server (some 15 minutes of one processor) and Helm (some 3).
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HELM = 'helm.sh/helm/v3/cmd/helm@v3.18.6';
const API_SERVER = 'k8s.io/kubernetes/cmd/kube-apiserver';
/** As in go.mod; an API server built without says that it is v0.0.0. */
export const KUBERNETES = '1.34.4';

const here = fileURLToPath(new URL('.', import.meta.url));
const cache = fileURLToPath(new URL('../../.cache/kubernetes', import.meta.url));

function go(args, cwd) {
  const env = { ...process.env, GOBIN: cache, GOFLAGS: '-p=1', CGO_ENABLED: '0' };
  const done = spawnSync('nice', ['-n', '15', 'go', ...args], { cwd, env, stdio: 'inherit' });
  if (done.status !== 0) throw new Error(`\`go ${args.join(' ')}\` failed`);
}

/** Paths of the programs; builds what is missing. */
export function tools() {
  mkdirSync(cache, { recursive: true });
  const [apiServer, helm] = ['kube-apiserver', 'helm'].map((name) => join(cache, name));
  if (!existsSync(helm)) {
    console.error(`building ${HELM}`);
    go(['install', HELM], here);
  }
  if (!existsSync(apiServer)) {
    console.error(`building ${API_SERVER} ${KUBERNETES}`);
    const version = `-X k8s.io/component-base/version.gitVersion=v${KUBERNETES}`;
    go(
      ['build', '-mod=readonly', '-ldflags', `-s -w ${version}`, '-o', apiServer, API_SERVER],
      here,
    );
  }
  return { apiServer, helm };
}
