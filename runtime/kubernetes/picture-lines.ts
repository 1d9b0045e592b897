/** What a world is made of, as lines of text: how one process hands it to another without holding it twice. */
import type { ClusterPicture } from './follow-cluster.js';
import type { Kind } from './packed.js';

const CGROUP = 'cgroup';

/** A line each: the kind, its key and itself, both as JSON, in which no tab and no end of line is left as it is. */
export function* pictureLines({ facts, cgroups }: ClusterPicture): Generator<string> {
  for (const [uid, path] of cgroups)
    yield `${CGROUP}\t${JSON.stringify(uid)}\t${JSON.stringify(path)}`;
  for (const [kind, items] of Object.entries(facts))
    for (const [key, text] of items) yield `${kind}\t${JSON.stringify(key)}\t${text}`;
}

/** What was written so; INVARIANT: by a process of this version, a moment ago. */
export function readPicture(lines: Iterable<string>): ClusterPicture {
  const facts: { readonly [K in Kind]: Map<string, string> } = {
    ...{ pods: new Map(), nodes: new Map(), namespaces: new Map() },
    ...{ services: new Map(), slices: new Map() },
  };
  const cgroups = new Map<string, string>();
  for (const line of lines) {
    const [kind = '', key = '""', text = ''] = line.split('\t');
    if (kind === CGROUP) cgroups.set(JSON.parse(key), JSON.parse(text));
    else facts[kind as Kind].set(JSON.parse(key), text);
  }
  return { facts, cgroups };
}
