// Messages of the control plane and of etcd in TypeScript, from the .proto files beside them: protoc reads, the
// plugin of @bufbuild/protobuf writes.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Each has `proto`, and gets `gen`. */
const ROOMS = ['runtime/control/wire', 'runtime/store/etcd'];

function filesBelow(dir, suffix) {
  return readdirSync(dir, { recursive: true })
    .filter((name) => name.endsWith(suffix))
    .sort();
}

function generateRoom(root, room) {
  const protos = join(root, room, 'proto');
  const out = mkdtempSync(join(tmpdir(), 'weft-protos-'));
  try {
    execFileSync('protoc', [
      `--plugin=protoc-gen-es=${join(root, 'node_modules/.bin/protoc-gen-es')}`,
      `--proto_path=${protos}`,
      `--es_out=${out}`,
      '--es_opt=target=ts,import_extension=js,erasable_syntax=true',
      ...filesBelow(protos, '.proto'),
    ]);
    return filesBelow(out, '.ts').map((name) => ({
      path: `${room}/gen/${name}`,
      text: readFileSync(join(out, name), 'utf8'),
    }));
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

export function generate(root) {
  return ROOMS.flatMap((room) => generateRoom(root, room));
}
