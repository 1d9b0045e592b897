/** Findings of the frontend; findings of asc keep asc's own codes (AS…, TS…). */
import type { CodeTable } from '../diagnostic/index.js';

export const CODES: CodeTable = {
  P100: {
    title: 'the policy file cannot be read',
    help: 'check the path in weft.json; paths are relative to the project',
  },
  P101: {
    title: 'the policy exports no policy function',
    help: 'export `authorizeConnection(connection: Connection): Verdict` or `routeConnection(connection: Connection): Route`',
  },
  P102: {
    title: 'a policy function has the wrong signature',
    help: 'a policy function takes one Connection and returns a Verdict or a Route',
  },
  P103: {
    title: 'a declaration inside a policy function',
    help: 'tables, address sets and clusters are declared at the top level, which runs once at build time',
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
    title: 'too many clusters',
    help: 'a policy declares at most 65,519 clusters; declare each once and use its constant',
  },
  P115: {
    title: 'a text is not Unicode',
    help: 'it holds half of a surrogate pair; no attribute can be equal to it',
  },
};
