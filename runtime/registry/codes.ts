/** Diagnostic codes of registries and OCI layouts. */
import type { CodeTable } from '../../compiler/diagnostic/index.js';

export const CODES: CodeTable = {
  O101: {
    title: 'not a reference',
    help: 'write HOST[:PORT]/REPOSITORY[:TAG][@sha256:…], as registry.example/shop:1',
  },
  O102: {
    title: 'registry cannot be reached',
    help: 'check the host, the network, and its certificate (`--ca FILE` names your own authority)',
  },
  O103: {
    title: 'registry wants other credentials',
    help: 'log in with `docker login` or `skopeo login`; `$DOCKER_CONFIG/config.json` is read',
  },
  O104: { title: 'not in the registry', help: 'check the repository, the tag and the digest' },
  O105: {
    title: 'registry answered what it should not',
    help: 'check that the host is an OCI registry, and its log',
  },
  O106: {
    title: 'what came is not what the digest names',
    help: 'the registry, a mirror or somebody in between altered it; fetch it elsewhere',
  },
  O107: {
    title: 'answer too large',
    help: 'the limits stand in docs/limits.md; nothing was written',
  },
  O108: {
    title: 'registry without TLS',
    help: 'use TLS; `--plain-http` is for registries on this machine alone',
  },
  O109: {
    title: 'credentials cannot be read',
    help: 'correct the file, or log in again with `docker login`',
  },
  O110: {
    title: 'image layout cannot be read',
    help: 'an image layout is a folder with `oci-layout`, `index.json` and `blobs`',
  },
};
