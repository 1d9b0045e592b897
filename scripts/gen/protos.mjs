// Messages of the control plane in TypeScript, from the .proto files beside them: protoc reads, the
// plugin of @bufbuild/protobuf writes.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const WIRE = 'runtime/control/wire';

function filesBelow(dir, suffix) {
  return readdirSync(dir, { recursive: true })
    .filter((name) => name.endsWith(suffix))
    .sort();
}

export function generate(root) {
  const protos = join(root, WIRE, 'proto');
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
      path: `${WIRE}/gen/${name}`,
      text: readFileSync(join(out, name), 'utf8'),
    }));
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}
