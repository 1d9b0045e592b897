/** Findings of the frontend; findings of asc keep asc's own codes (AS…, TS…). */
import type { CodeTable } from '../diagnostic/index.js';

export const CODES: CodeTable = {
  P100: {
    title: 'the policy file cannot be read',
    help: 'check the path in weft.json; paths are relative to the project',
  },
  P101: {
    title: 'the policy exports no policy function',
    help: 'write `export function authorizeConnection(connection: Connection): Verdict`, or `routeConnection(connection: Connection): Route`, `authorizeRequest(request: Request): Verdict`, `routeRequest(request: Request): Route`',
  },
  P102: {
    title: 'a policy function has the wrong signature',
    help: 'a policy function takes one Connection and returns a Verdict or a Route',
  },
  P103: {
    title: 'a declaration inside a policy function',
    help: 'tables, address sets and routes are declared at the top level, which runs once at build time',
  },
  P104: {
    title: 'a text is no address block',
    help: 'write a block as `10.0.0.0/8` or `2001:db8::/32`, or a single address',
  },
  P105: {
    title: 'a table mixes texts and integers as keys',
    help: 'use one table for texts and another for integers',
  },
  P106: {
    title: 'a text names no cluster',
    help: 'write `cluster("reviews", "v1")` or `cluster("reviews.prod/v1")`',
  },
  P107: { title: 'a name is declared twice', help: 'give each declaration a name of its own' },
  P108: {
    title: 'the declarations were overwritten',
    help: 'do not use `store`, `memory.fill` or `changetype` at the top level',
  },
  P109: {
    title: 'a table cannot hold values of that type',
    help: 'values are integers of up to 32 bits, bool, an enum, or Route',
  },
  P110: {
    title: 'a question about the connection at the top level',
    help: 'the top level runs at build time, without a connection: ask inside a policy function',
  },
  P111: {
    title: 'the top level stopped with an error',
    help: 'the top level runs at build time; correct what it does there',
  },
  P112: {
    title: 'the top level did not end',
    help: 'look for a loop without exit outside of functions',
  },
  P113: {
    title: 'too many sites',
    help: 'a bundle has at most 65,535 written verdicts and returned routes; split the policy or use tables',
  },
  P114: {
    title: 'too many routes',
    help: 'a policy declares at most 65,519 routes; declare each once and use its constant',
  },
  P115: {
    title: 'a text is not Unicode',
    help: 'it holds half of a surrogate pair; no attribute can be equal to it',
  },
  P116: {
    title: 'a number that is no status of such a reply',
    help: 'replies have 200 to 599, redirects 301, 302, 303, 307 or 308',
  },
  P117: {
    title: 'a reply of that status has no body',
    help: 'replies with 204, 205 and 304 end with their head',
  },
  P118: {
    title: 'a header that frames the message',
    help: 'length, coding, connection and host follow from what is sent; the host has `.host()`',
  },
  P119: {
    title: 'a text is no name or value of a header',
    help: 'a name is a token of up to 256 bytes; a value is up to 4096 printable ASCII bytes, without blanks at its ends',
  },
  P120: {
    title: 'a text is no path',
    help: 'write `/` and visible ASCII of up to 1024 bytes, without `//`, `.` elements, query or fragment; others percent-encoded',
  },
  P121: {
    title: 'a text is no host, scheme or port',
    help: 'write a name, an IPv4 address or [v6]; `http` or `https`; 1 to 65535',
  },
  P122: {
    title: 'an edit of a route without a cluster',
    help: 'edit a `cluster(...)`, or an edited route; replies and redirects say what they send themselves',
  },
  P123: {
    title: 'two statements about one part',
    help: 'path and host of a route are said once; remove one of the two',
  },
  P124: {
    title: 'an edit without effect (a warning)',
    help: 'the first `setHeader`, `addHeader` or `removeHeader` of a name holds; remove the other, or join the values',
  },
  P125: {
    title: 'a reply that is too large',
    help: 'the kernel writes replies of up to 1024 bytes, head and body; serve more from a workload',
  },
  P126: {
    title: 'too many edits of one route',
    help: 'a route has at most 16 edits',
  },
  P127: {
    title: 'numbers are no range of ports',
    help: 'a range is `add(first, last)` of ports from 0 to 65535, the first not above the last',
  },
  P128: {
    title: 'a text is no pattern of a path or host',
    help: 'paths are `/users/{id}/**`, elements of up to 64 bytes; hosts are `example.com`, `*.example.com` or `*`, up to 64 bytes',
  },
  P129: {
    title: 'a text is no regular expression here',
    help: 'it may have what RE2 and JavaScript read alike, in ASCII: sets, groups, `|`, `*`, `+`, `?`, `{2,5}`, `^`, `$`, `(?i)`; the whole text must match',
  },
  P130: {
    title: 'a key does not fit its table',
    help: 'all keys of a `KeyTable` have parts of the same kinds in the same order; addresses are `10.0.0.1` or `2001:db8::1`, without a length',
  },
  P131: {
    title: 'not a rule',
    help: 'write `.add(value)` first, then what the rule holds for: blocks as `10.0.0.0/8`, ports from 0 to 65535, the lower end of a range first',
  },
  P132: {
    title: 'weights that stop every decision',
    help: 'weights of a `split` need no particular sum, but one above 0 and up to 4294967295',
  },
};
