/** Diagnostic codes of the command line itself: usage and files. */
import type { CodeTable } from '../../compiler/diagnostic/index.js';

export const CODES: CodeTable = {
  U001: { title: 'unknown command', help: 'run `weft --help` for the list of commands' },
  U002: { title: 'unknown option', help: 'run the command with `--help` for its options' },
  U003: { title: 'wrong arguments', help: 'run the command with `--help` for its arguments' },
  U004: { title: 'option value not accepted', help: 'the message lists the accepted values' },
  U010: { title: 'file cannot be read', help: 'check the path and its permissions' },
  U011: { title: 'file cannot be written', help: 'check the folder and its permissions' },
  U012: {
    title: 'file exists already',
    help: 'nothing is overwritten; choose another name or an empty folder',
  },
  U013: {
    title: 'neither a project nor a bundle',
    help: 'name a folder that holds weft.json, or a file written by `weft build`',
  },
  U016: {
    title: 'no test ran',
    help: 'write a scenario.yaml or a file *.test.ts beside the policies, or widen `--run`',
  },
  U017: {
    title: 'coverage under the limit',
    help: 'test the rules, branches and entries that `--coverage` names',
  },
  U018: {
    title: 'nothing to prove',
    help: 'write a file *.prove.ts beside the policies: docs/howto/prove-a-claim.md',
  },
  U020: {
    title: 'file too large',
    help: 'name a key, a certificate or a file of signatures',
  },
  U026: { title: 'no baseline', help: 'write one with `weft bench --save FILE`' },
  U027: {
    title: 'baseline of another machine',
    help: 'times are compared on the machine that they were measured on: save a baseline there',
  },
  U022: {
    title: 'port cannot be listened on',
    help: 'choose another with `--port`; 0 takes any that is free',
  },
  U021: { title: 'internal fault', help: 'please report it together with the printed stack' },
};
