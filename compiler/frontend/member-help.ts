/** What a class of the SDK has, where a policy asks it for something else: the nearest name, or all names. */
import { SDK_SOURCES } from './sdk.gen.js';

/** What JavaScript's texts are asked, by the name that a part of a connection or request has for it. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  includes: '`contains`',
  indexOf: '`contains`',
  equals: '`is`',
  match: '`startsWith` and `contains`, or a RegexTable',
  test: '`startsWith` and `contains`, or a RegexTable',
  toLowerCase:
    '`equalsIgnoreCase` of a part of a request; labels and names are as they were written',
  toString: '`is`, `startsWith`, `contains`: a decision makes no texts',
  split: '`startsWith` and `contains`, `pattern`, or a RegexTable',
};
/** What one side of a class has and another has not. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'Party.port':
    'the source has no port yet when policies are asked: `connection.destination.port` is the one that is connected to',
};
const OF_REQUESTS = /^(?:method|path|target|host|header|query|cookie|scheme)$/;
/** Names this far apart may be misspelt, of as many letters at least. */
const NEAR = 2;
const LEAST = 4;

function textOf(name: string): string | null {
  for (const text of Object.values(SDK_SOURCES)) {
    const begin = text.search(new RegExp(`^export class ${name}\\b`, 'm'));
    if (begin >= 0) return text.slice(begin, text.indexOf('\n}', begin));
  }
  return null;
}

/** Names of a class of the SDK and of what it extends; none where it is no such class. */
function membersOf(name: string): string[] {
  const text = textOf(name);
  if (text === null) return [];
  const members = [...text.matchAll(/^ {2}(?:@inline )?(?:get )?([a-z]\w*)(?:<[^(]*>)?\(/gm)];
  const parent = /^export class \w+ extends (\w+)/.exec(text)?.[1];
  const own = members.map(([, member = '']) => member).filter((m) => m !== 'constructor');
  return [...new Set([...own, ...(parent === undefined ? [] : membersOf(parent))])];
}

/** How many letters are put in, left out or changed between two names. */
function distance(a: string, b: string): number {
  let row = [...Array(b.length + 1).keys()];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function nearest(name: string, members: readonly string[]): string | null {
  if (name.length < LEAST) return null;
  const asked = name.toLowerCase();
  const all = members.map((m) => ({ m, far: distance(asked, m.toLowerCase()) }));
  const best = all.sort((a, b) => a.far - b.far)[0];
  return best !== undefined && best.far <= NEAR ? best.m : null;
}

/** Of asc's words about a member that is not there; null where they are about something else. */
export function memberHelp(message: string): string | null {
  const found = /^Property '(\w+)' does not exist on type '~lib\/weft\/\S+\/(\w+)'/.exec(message);
  if (found === null) return null;
  const [, member = '', type = ''] = found;
  const members = membersOf(type);
  if (members.length === 0) return null;
  const elsewhere = ELSEWHERE[`${type}.${member}`];
  if (elsewhere !== undefined) return elsewhere;
  if (type === 'Connection' && OF_REQUESTS.test(member)) {
    return `requests have it: export \`function authorizeRequest(request: Request): Verdict\` and ask \`request.${member}\``;
  }
  const near = nearest(member, members);
  if (near !== null) return `did you mean \`${near}\`?`;
  const isText = members.includes('startsWith');
  const other = isText ? OTHER_NAMES[member] : undefined;
  if (other !== undefined) return `use ${other}`;
  return `\`${type}\` has ${members.map((m) => `\`${m}\``).join(', ')}`;
}
