/**
 * What to write instead, of asc's findings: by asc's code, its words and the text of the policy around the place. The
 * first row that fits counts; rows of what TypeScript has and AssemblyScript has not stand before those of a code.
 */
import { memberHelp } from './member-help.js';

/** A finding as asc tells it, with the text that it is about. */
export interface Finding {
  readonly code: string;
  readonly message: string;
  /** Of the file, in front of the place, at it and behind it; empty where there is no place. */
  readonly before: string;
  readonly written: string;
  readonly after: string;
}
interface Remedy {
  /** Pattern of the codes. */
  readonly code: RegExp;
  readonly message?: RegExp;
  readonly before?: RegExp;
  readonly written?: RegExp;
  readonly after?: RegExp;
  readonly help: string;
}

const OBJECT_HELP =
  'an object needs a class: `class Limits { constructor(readonly maxPort: u32) {} }`, then `const limits = new Limits(1024)`';
const LABEL_HELP =
  'there are no labels: put the loops into a function and leave it with `return`, or end the outer loop with a flag: `for (let i = 0; i < n && !found; i++)`';
const SPREAD_HELP =
  'there is no spreading of lists or objects: `a.concat(b)` joins lists at the top level; else name each element or property';
const DESTRUCTURING_HELP =
  'there is no destructuring: write a declaration for each, as `const source = connection.source;`';
const SWITCH_HELP =
  '`switch` takes integers: write `if (request.method.is("GET")) … else if (…)`, or look the text up in a Table';

/** What stands behind `Not implemented:`, and what to write instead. */
const NOT_IMPLEMENTED: Readonly<Record<string, string>> = {
  'Regular expressions':
    'use a RegexTable, declared at the top level, `const api = new RegexTable<bool>("api").set("/api/v[0-9]+/.*", true)`, and `api.has(request.path)`; or `startsWith`, `contains`, `pattern("/api/{version}/**")`',
  Closures:
    'a function sees its parameters and the top level, not variables around it: give the value as an argument, or write a loop: `for (let i = 0; i < ports.length; i++) if (ports[i] == port) return Verdict.Allow;`',
  'Break label': LABEL_HELP,
  'Continue label': LABEL_HELP,
  'Spread operator': SPREAD_HELP,
  Iterators: 'count instead: `for (let i = 0; i < list.length; i++) { const item = list[i]; … }`',
  Exceptions:
    'there is no `try`: ask before (`exists`, `has`) and return a verdict; what traps ends as `failure.trap` of weft.json says',
  'union types':
    'the only union is `T | null`: use an enum for a choice of words, a class for the rest',
  'Const assertion': 'leave `as const` out: `const` at the top level is constant already',
  'Interface hidden classes': OBJECT_HELP,
};

const VIEW_TEXT = /String( \| null)?' is not assignable to type '\S*\/(?:View|Host|Attribute)'/;

const REMEDIES: readonly Remedy[] = [
  {
    code: /^TS1109$/,
    before: /\?$/,
    written: /^\?/,
    help: 'there is no `??`: write `x != null ? x : y`; for a part of a connection or request `x.exists ? x : y`',
  },
  {
    code: /^TS1109$/,
    before: /[\w)\]]\?$/,
    written: /^\./,
    help: 'there is no `?.`: write `if (x != null) …`, or `x != null ? x.y : other`; what a connection or request lacks is no null: ask it by `exists`',
  },
  { code: /^TS1109$/, before: /(?:^|[{};\n])\s*[A-Za-z_]\w*\s*$/, written: /^:/, help: LABEL_HELP },
  {
    code: /^TS1109$/,
    written: /^async$/,
    help: 'there is no `async`: nothing waits, neither at the top level nor in a decision; write a plain function',
  },
  {
    code: /^TS1003$/,
    written: /^(?:const|let|var)$/,
    after: /^\s*[[{]/,
    help: DESTRUCTURING_HELP,
  },
  { code: /^TS1003$/, written: /^[(,]$/, after: /^\s*[[{]/, help: DESTRUCTURING_HELP },
  { code: /^TS1003$/, written: /^[{,]$/, after: /^\s*\.\.\./, help: SPREAD_HELP },
  { code: /^TS2554$/, written: /[(,]\s*\.\.\./, help: SPREAD_HELP },
  {
    code: /^TS1(?:155|005)$/,
    after: /^\s+in\s/,
    help: 'there is no `for … in`: count instead, `for (let i = 0; i < list.length; i++)`',
  },
  { code: /^(?:TS2322|AS225)$/, written: /^\{/, help: OBJECT_HELP },
  {
    code: /^TS2322$/,
    message: VIEW_TEXT,
    before: /\bcase\s*\(?\s*$/,
    help: SWITCH_HELP,
  },
  {
    code: /^TS2322$/,
    message: /Attribute \| null'/,
    written: /^null$/,
    help: 'an attribute is never null: ask whether it is there by `exists`, as `!connection.source.namespace.exists`',
  },
  {
    code: /^TS2322$/,
    message: /'\S*\/Route \| null'/,
    help: 'a route is never null: return `Route.None` where none is chosen, and declare the result as `Route`',
  },
  {
    code: /^TS2322$/,
    message: /'\S*\/Verdict \| null'/,
    help: 'a verdict is never null: return `Verdict.Pass` for no opinion, and declare the result as `Verdict`',
  },
  {
    code: /^TS(?:2322|2345)$/,
    message: /\/(?:View|Host|Attribute)' is not assignable to type '\S*String\b/,
    help: 'what a connection or request says is no string: ask it by `is`, `startsWith`, `contains`, or look it up in a Table; parameters for it are of type View (requests), Host or Attribute',
  },
  {
    code: /^AS240$/,
    message: /Attribute/,
    help: 'compare an attribute with a text by `is`: `connection.source.namespace.is("prod")`',
  },
  {
    code: /^AS240$/,
    message: /\b(?:View|Host)\b/,
    help: 'compare a part of a request with a text by `is`, as `request.method.is("GET")`',
  },
  {
    code: /^AS240$/,
    message: /Address/,
    help: 'look an address up in a CidrSet, declared at the top level: `const blocked = new CidrSet("blocked").add("10.0.0.1")`, then `blocked.contains(connection.source.address)`',
  },
  {
    code: /./,
    message: / to type '\S*Incomparable'/,
    help: 'parts of a request are compared with texts, by `is`, and asked whether they are there, by `exists`; addresses are looked up in a CidrSet; texts of both sides, such as namespaces, are compared by `==`',
  },
  {
    code: /^TS2304$/,
    message: /'undefined'/,
    help: 'there is no `undefined`: an object that may be absent is `T | null`; a part of a connection or request is asked by `exists`',
  },
  {
    code: /^TS2304$/,
    message: /'(?:any|unknown|never)'/,
    help: 'there is no such type: name the type of the value, as `u32`, `string` or a class',
  },
  {
    code: /^AS102$/,
    message: /key of splitBy/,
    help: 'divide by an address, as `splitBy(connection.source.address, …)`, or by a part of a request, as `request.cookie("session")`; an attribute chooses by `if` or a Table<Route>',
  },
  {
    code: /^AS102$/,
    message: /keys of a Table are texts, attributes/,
    help: 'ask whether a Table holds a part of a request by `request.path.in(table)`; PathTable, HostTable and RegexTable give values for it, as `hosts.get(request.host)`',
  },
  {
    code: /^AS102$/,
    message: /parts of a key/,
    help: 'test a part of a request beside the look-up, as `request.method.is("GET") && grants.get2(…)`, or keep a table for each',
  },
  {
    code: /^AS102$/,
    message: /values (?:of a Table )?are/,
    help: 'give each property a table of its own, as `new Table<bool>("closed")` and `new Table<u32>("limit")`, or number what the values stand for',
  },
  {
    code: /^TS6054$/,
    help: 'a policy imports "weft" and files of its project by relative path, as "./rules"',
  },
];

const SYNTAX_HELP = 'correct the syntax here or just before';
/** Remedies of asc's most common findings. */
const BY_CODE: Readonly<Record<string, string>> = {
  TS2304: 'declare it, import it from "weft", or correct the spelling',
  TS2305: 'docs/policies.md lists what "weft" exports',
  TS2322: 'return or assign a value of that type',
  TS2339: 'docs/policies.md lists what a connection has',
  TS2345: 'pass a value of that type',
  TS2554: 'give as many arguments as the function has parameters',
  AS100:
    'this part of TypeScript does not exist in AssemblyScript: write it with functions and loops',
  AS200: 'convert it explicitly, as `<u32>value`',
};

function fits(finding: Finding, { code, message, before, written, after }: Remedy): boolean {
  const pairs = [
    [code, finding.code],
    [message, finding.message],
    [before, finding.before],
    [written, finding.written],
    [after, finding.after],
  ] as const;
  return pairs.every(([pattern, text]) => pattern === undefined || pattern.test(text));
}

/** The remedy that is told with a finding; null where its words say enough. */
export function remedy(finding: Finding): string | null {
  const { code, message } = finding;
  const missing = /^Not implemented: (.*?)\.?$/.exec(message)?.[1] ?? '';
  return (
    REMEDIES.find((row) => fits(finding, row))?.help ??
    NOT_IMPLEMENTED[missing] ??
    memberHelp(message) ??
    BY_CODE[code] ??
    (/^TS1\d{3}$/.test(code) ? SYNTAX_HELP : null)
  );
}

interface Told {
  readonly code: string;
  readonly help: string | null;
}

/** True for a finding of the parser that says no more than that something is wrong here. */
export function isUnexplained({ code, help }: Told): boolean {
  return /^TS1\d{3}$/.test(code) && help === SYNTAX_HELP;
}

/** True for a text as a `case` of what is no integer. */
export function isTextCase({ help }: Told): boolean {
  return help === SWITCH_HELP;
}
