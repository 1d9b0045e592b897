/** `weft import`: policies of another mesh as a project, or straight as a bundle. */
import { diagnostic, hasErrors } from '../../../compiler/diagnostic/index.js';
import type {
  ImportedProject,
  IstioOptions,
  KnownService,
  PathNormalization,
  SourceFile,
} from '../../import/index.js';
import {
  type CommandSpec,
  flagOption,
  type Input,
  listOption,
  type Result,
  textOption,
} from '../command-spec.js';
import type { Env } from '../env.js';
import { EXIT } from '../exit.js';
import { usageFault } from '../usage-fault.js';
import type { ImportWorld } from '../write-import.js';

const DIALECTS = ['istio', 'gateway-api', 'cilium'] as const;
const PATHS: readonly PathNormalization[] = ['BASE', 'MERGE_SLASHES', 'DECODE_AND_MERGE_SLASHES'];

function portsOption(input: Input): readonly number[] {
  return listOption(input, 'httpPort').map((text) => {
    if (/^\d{1,5}$/.test(text) && Number(text) > 0 && Number(text) <= 65535) return Number(text);
    throw usageFault(`\`${text}\` is no port`, 'give a number from 1 to 65535');
  });
}

function claimsOption(input: Input): ReadonlyMap<string, string> {
  return new Map(
    listOption(input, 'claim').map((text): [string, string] => {
      const at = text.indexOf('=');
      const [claim, header] = [text.slice(0, at), text.slice(at + 1)];
      if (at > 0 && /^[\w!#$%&'*+\-.^`|~]+$/.test(header)) return [claim, header];
      throw usageFault(`\`${text}\` is not of the form CLAIM=HEADER`, 'as `--claim sub=x-jwt-sub`');
    }),
  );
}

/** What a world tells an import. */
interface Known extends Pick<IstioOptions, 'httpPorts' | 'tcpPorts' | 'services'> {
  readonly world: ImportWorld | null;
}

async function readKnown(env: Env, input: Input): Promise<Known> {
  const shown = textOption(input, 'world');
  if (shown === null) return { world: null, httpPorts: [], tcpPorts: [], services: new Map() };
  const { openWorld, readText } = await import('../subject.js');
  const { services } = await openWorld(env, shown);
  const ports = services.flatMap((service) => service.ports);
  const targets = (http: boolean): readonly number[] =>
    ports.filter((port) => (port.protocol === 'http') === http).map((port) => port.target);
  const subset = (name: string): string => name.slice(name.indexOf('/') + 1);
  return {
    world: { text: readText(env, shown) },
    httpPorts: targets(true),
    tcpPorts: targets(false),
    services: new Map(
      services.map(({ name, clusters, ports: own, balance }): [string, KnownService] => [
        name,
        {
          clusters: clusters.map((cluster) => ({
            name: `${name}/${subset(cluster.name)}`,
            selector: cluster.selector,
          })),
          ports: own.map(({ port, target, protocol }) => ({
            port,
            target,
            http: protocol === 'http',
          })),
          balance,
        },
      ]),
    ),
  };
}

async function readObjects(
  input: Input,
  files: readonly SourceFile[],
  known: Known,
): Promise<ImportedProject> {
  const { importGateway, importIstio, importNetwork, ISTIO_DEFAULTS } = await import(
    '../../import/index.js'
  );
  const namespace = textOption(input, 'namespace') ?? ISTIO_DEFAULTS.namespace;
  if (input.arguments[0] === 'gateway-api') {
    return importGateway(files, { namespace, services: known.services });
  }
  if (input.arguments[0] === 'cilium') {
    const httpPorts = [...known.httpPorts, ...portsOption(input)];
    return importNetwork(files, { namespace, httpPorts, nodes: listOption(input, 'nodes') });
  }
  const domains = listOption(input, 'trustDomain');
  const options: IstioOptions = {
    namespace,
    rootNamespace: textOption(input, 'rootNamespace') ?? ISTIO_DEFAULTS.rootNamespace,
    trustDomains: domains.length > 0 ? domains : ISTIO_DEFAULTS.trustDomains,
    httpPorts: [...known.httpPorts, ...portsOption(input)],
    tcpPorts: known.tcpPorts,
    services: known.services,
    claims: claimsOption(input),
    claimsFrom: listOption(input, 'claimsFrom'),
    remoteIsPeer: textOption(input, 'remoteIp') === 'peer',
    paths: PATHS.find((name) => name === textOption(input, 'pathNormalization')) ?? 'BASE',
  };
  return importIstio(files, options, flagOption(input, 'direct') ? 'one' : 'scopes');
}

async function run(env: Env, input: Input): Promise<Result> {
  const { refuseForeignOptions } = await import('../foreign-options.js');
  refuseForeignOptions(input);
  const [, ...names] = input.arguments;
  const out = textOption(input, 'out') ?? '';
  const { readImportFiles } = await import('../import-files.js');
  const known = await readKnown(env, input);
  const read = readImportFiles(env, names);
  const direct = flagOption(input, 'direct');
  const imported = await readObjects(input, read.files, known);
  const diagnostics = [...read.diagnostics, ...imported.diagnostics];
  const sources = (file: string): string | null =>
    read.files.find(({ name }) => name === file)?.text ?? null;
  if (imported.policies.length === 0 && !hasErrors(diagnostics)) {
    diagnostics.push(
      diagnostic('W509', 'the input holds nothing to import', {
        help: 'name files that hold objects of that mesh',
      }),
    );
  }
  if (hasErrors(diagnostics)) {
    const document = { objects: imported.objects };
    return { exit: EXIT.findings, document, diagnostics, sources };
  }
  const { writeBundle, writeFolder } = await import('../write-import.js');
  const whole = { ...imported, diagnostics };
  const result = direct
    ? await writeBundle(env, out, whole, known.world)
    : writeFolder(env, out, whole, known.world);
  const both = (file: string): string | null => sources(file) ?? result.sources?.(file) ?? null;
  return { ...result, sources: both };
}

export const IMPORT_COMMAND: CommandSpec = {
  name: 'import',
  summary: 'policies of another mesh as a project, or as a bundle',
  description:
    'What cannot be said in Weft is an error at its line, what becomes narrower a warning with an\nexample; nothing becomes wider. A folder stands for all YAML and JSON below it, `-` for stdin.',
  example:
    '$ weft import istio mesh/ --world world.yaml --out shop\ncreated shop/policies/prod.ts\ncreated shop/weft.json\ncreated shop/world.yaml\n\n$ kubectl get authorizationpolicies -A -o yaml > mesh.yaml\n$ weft import istio mesh.yaml --http-port 8080 --direct --out mesh.weft',
  arguments: [
    { syntax: '<DIALECT>', description: 'whose objects they are', choices: DIALECTS },
    { syntax: '<FILE...>', description: 'files, folders, or `-`' },
  ],
  options: [
    {
      flags: '--out <PATH>',
      description: 'the folder, or with --direct the bundle',
      required: true,
    },
    { flags: '--direct', description: 'write a bundle; rules of Istio as one policy' },
    { flags: '--world <FILE>', description: 'the world: its ports that carry HTTP, its clusters' },
    {
      flags: '--http-port <N>',
      description: 'a port of workloads that carries HTTP',
      repeat: true,
    },
    {
      flags: '--nodes <BLOCK>',
      description: 'addresses of nodes, of which Cilium knows by itself',
      repeat: true,
    },
    { flags: '--namespace <NAME>', description: 'of objects that name none (default: default)' },
    { flags: '--root-namespace <NAME>', description: "Istio's own (default: istio-system)" },
    {
      flags: '--trust-domain <NAME>',
      description: "the mesh's, then its aliases (default: cluster.local)",
      repeat: true,
    },
    { flags: '--claims-from <PRINCIPAL>', description: 'what verifies tokens', repeat: true },
    { flags: '--claim <CLAIM=HEADER>', description: 'the header with a claim', repeat: true },
    {
      flags: '--remote-ip <WHOSE>',
      description: 'the original client is the peer: no proxy stands before the mesh',
      choices: ['peer'],
    },
    {
      flags: '--path-normalization <OPTION>',
      description: "the mesh's option (default: BASE)",
      choices: PATHS,
    },
  ],
  formats: ['text', 'json'],
  run,
};
