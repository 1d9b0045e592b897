/**
 * The format of test/case/*.case: policies, a configuration and rows that say what every engine must answer.
 *
 *     --- ports.ts                       a policy, as its author writes it (several sections: several policies)
 *     ...
 *     --- config                         optional: JSON merged into weft.json (default, failure, policies' modes)
 *     --- cases
 *     # comment
 *     web-to-db: tcp 10.0.0.1{ns=prod sa=web app=web} -> 10.0.0.2:80{ns=prod} = allow ports.ts:5
 *     draw: tcp 10.0.0.1{} -> 10.96.0.1:80{} random=7 route = reviews/v1 canary.ts:9
 *
 *     get: request GET /public/x [host: a.example | cookie: a=1; b=2] random=3 = allow http.ts:4
 *
 * A row with `request` asks about a request, on the connection before that word or on one between two
 * workloads of prod. Headers stand in brackets, with ` | ` between them.
 *
 *     --- mesh.yaml                      instead of policies: objects of another mesh, to be imported
 *     --- import                         optional: JSON, what the import is told
 *     allowed: @prod{app=a} from 10.0.0.1{ns=web sa=a} port 8080 GET /x [host: a] = allow name[0]
 *     refused: @prod tcp = deny
 *
 * A row that begins with `@` asks about a workload of that namespace: a request on port 80, or with `tcp` a connection
 * to port 9000. It comes from an account `a` of the namespace `web`, unless it says otherwise.
 *
 * Keys in braces: ns, sa, td, principal, workload, region, zone, node; every other key is a label.
 * A principal follows from td (cluster.local), ns and sa as in a world; `principal=-` takes it away.
 * `-` stands for no address. What is asked is the authorization, or the route after the word `route`.
 * Expected: allow | deny | a route (a cluster's name, `edited:` and a name, `reply:404`, `redirect:302`, `waypoint`) | none, then `file:line` of the deciding site, or a reason.
 */
import { parseAddress } from '../../runtime/discovery/address.js';

export interface CaseParty {
  readonly address: Uint8Array | null; // 16 bytes
  readonly family: 4 | 6 | null;
  readonly texts: ReadonlyMap<string, string>; // attribute name, or `label:key`
}
export interface CaseRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
}
export interface Case {
  readonly id: string;
  readonly line: number;
  readonly protocol: 6 | 17;
  readonly source: CaseParty;
  readonly destination: CaseParty;
  readonly port: number;
  readonly random: number;
  readonly now: bigint;
  readonly policies: readonly number[] | null; // attached; null: all
  readonly ask: 'authorize' | 'route';
  readonly request: CaseRequest | null;
  readonly expect: { readonly answer: string; readonly rule: string | null };
}
export interface CaseFile {
  readonly name: string;
  readonly policies: ReadonlyMap<string, string>; // file name -> text
  readonly sources: ReadonlyMap<string, string>; // of YAML to import
  readonly told: Readonly<Record<string, unknown>>;
  readonly config: Readonly<Record<string, unknown>>;
  readonly cases: readonly Case[];
}

const ATTRIBUTES: Readonly<Record<string, string>> = {
  ns: 'namespace',
  sa: 'serviceAccount',
  td: 'trustDomain',
  principal: 'principal',
  workload: 'workload',
  region: 'region',
  zone: 'zone',
  node: 'node',
};

function parseTexts(inside: string): Map<string, string> {
  const texts = new Map<string, string>();
  for (const pair of inside.split(' ').filter(Boolean)) {
    const at = pair.indexOf('=');
    const key = pair.slice(0, at);
    texts.set(ATTRIBUTES[key] ?? `label:${key}`, pair.slice(at + 1).replaceAll('%20', ' '));
  }
  const namespace = texts.get('namespace');
  const account = texts.get('serviceAccount');
  if (namespace !== undefined && account !== undefined && !texts.has('principal')) {
    const domain = texts.get('trustDomain') ?? 'cluster.local';
    texts.set('trustDomain', domain);
    texts.set('principal', `${domain}/ns/${namespace}/sa/${account}`);
  }
  if (texts.get('principal') === '-') texts.delete('principal');
  return texts;
}

function parseParty(word: string, inside: string): { party: CaseParty; port: number } {
  const ported = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(word);
  const text = ported ? (ported[1] ?? ported[2] ?? '') : word;
  const address = text === '-' ? null : parseAddress(text);
  if (text !== '-' && address === null) throw new Error(`bad address \`${text}\``);
  return {
    party: {
      address: address?.bytes ?? null,
      family: address?.family ?? null,
      texts: parseTexts(inside),
    },
    port: Number(ported?.[3] ?? 0),
  };
}

const ROW =
  /^([\w./-]+): (?:(tcp|udp) (\S+?)\{([^}]*)\} -> (\S+?)\{([^}]*)\} ?)?(request \S+ \S+(?: \[[^\]]*\])?)?((?: ?\w+=\S+)*)( route)? = (\S+)(?: (\S+))?$/;
/** Ends of rows that name none. */
const FROM = ['10.0.0.1', 'ns=prod sa=web app=web'] as const;
const TO = ['10.0.0.2:80', 'ns=prod sa=api'] as const;

function parseRequest(text: string | undefined): CaseRequest | null {
  const found = /^request (\S+) (\S+)(?: \[([^\]]*)\])?$/.exec(text ?? '');
  if (found === null) return null;
  const headers = (found[3] ?? '')
    .split(' | ')
    .filter(Boolean)
    .map((line): [string, string] => {
      const at = line.indexOf(':');
      return [line.slice(0, at), line.slice(at + 1).replace(/^ /, '')];
    });
  return { method: found[1] ?? '', target: found[2] ?? '', headers };
}

const SHORT =
  /^([\w./-]+): @([\w-]+)(\{[^}]*\})?(?: from (\S+?\{[^}]*\}))?(?: port (\d+))? (tcp|[A-Z]+ \S+(?: \[[^\]]*\])?)((?: random=\d+)?(?: route)? = .*)$/;

/** A row about a workload of a namespace, written out. */
function expandRow(text: string): string {
  const found = SHORT.exec(text);
  if (found === null) return text;
  const [, id, namespace, texts = '{}', from = '10.0.0.1{ns=web sa=a}', port, asked, end] = found;
  const inside = texts.slice(1, -1);
  const to = `10.0.0.2:${port ?? (asked === 'tcp' ? 9000 : 80)}{ns=${namespace} ${inside}}`;
  return `${id}: tcp ${from} -> ${to}${asked === 'tcp' ? '' : ` request ${asked}`}${end}`;
}

function parseRow(written: string, line: number): Case {
  const text = expandRow(written);
  const row = ROW.exec(text);
  if (row === null) throw new Error(`line ${line}: not a case: ${text}`);
  const [, id = '', protocol = 'tcp', from, fromTexts, to, toTexts, asked, options = ''] = row;
  const request = parseRequest(asked);
  if (from === undefined && request === null) throw new Error(`line ${line}: no ends: ${text}`);
  const option = new Map(
    options
      .split(' ')
      .filter(Boolean)
      .map((o) => o.split('=') as [string, string]),
  );
  const source = parseParty(from ?? FROM[0], fromTexts ?? FROM[1]);
  const destination = parseParty(to ?? TO[0], toTexts ?? TO[1]);
  return {
    id,
    line,
    protocol: protocol === 'tcp' ? 6 : 17,
    source: source.party,
    destination: destination.party,
    port: destination.port,
    random: Number(option.get('random') ?? 0),
    now: BigInt(option.get('now') ?? 0),
    policies: option.get('policies')?.split(',').map(Number) ?? null,
    ask: row[9] ? 'route' : 'authorize',
    request,
    expect: { answer: row[10] ?? '', rule: row[11] ?? null },
  };
}

/** Reads a case file; throws with the line where it is malformed. */
export function parseCaseFile(name: string, text: string): CaseFile {
  const policies = new Map<string, string>();
  const sources = new Map<string, string>();
  const cases: Case[] = [];
  let config: Record<string, unknown> = {};
  let told: Record<string, unknown> = {};
  let section = '';
  let body: string[] = [];
  const close = (): void => {
    if (section.endsWith('.ts')) policies.set(section, `${body.join('\n')}\n`);
    else if (section.endsWith('.yaml')) sources.set(section, `${body.join('\n')}\n`);
    else if (section === 'import') told = JSON.parse(body.join('\n')) as Record<string, unknown>;
    else if (section === 'config') config = JSON.parse(body.join('\n')) as Record<string, unknown>;
  };
  text.split('\n').forEach((line, index) => {
    const head = /^--- (\S+)$/.exec(line);
    if (head) {
      close();
      section = head[1] ?? '';
      body = [];
    } else if (section === 'cases') {
      if (line.trim() !== '' && !line.startsWith('#')) cases.push(parseRow(line, index + 1));
    } else body.push(line);
  });
  close();
  if (policies.size + sources.size === 0 || cases.length === 0) {
    throw new Error(`${name}: no policy or no case`);
  }
  return { name, policies, sources, told, config, cases };
}
