/** Codes of recorded traffic, in whatever form it comes. */
import type { CodeTable } from '../../compiler/diagnostic/index.js';

export const CODES: CodeTable = {
  W401: { title: 'line is no JSON', help: 'one JSON object a line; the other lines are decided' },
  W402: {
    title: 'line or entry too long',
    help: 'a line has at most 1 MiB, an entry of a HAR 64 MiB; this one is left out, the others are decided',
  },
  W403: { title: 'text is not UTF-8', help: 'write bytes above 0x7f as \\u0080 to \\u00ff' },
  W404: {
    title: 'file ends within a record',
    help: 'it was cut short: write it again; what came before is decided',
  },
  W405: { title: 'unknown form of traffic', help: 'say which it is with `--format`' },
  W406: {
    title: 'traffic that the world does not know',
    help: 'give the workloads of world.yaml the addresses that stand in the file',
  },
  W407: { title: 'damaged file', help: 'write it again; what could be read is decided' },
  W408: {
    title: 'entry without what a decision needs',
    help: 'it is left out; the others are decided',
  },
  W409: {
    title: 'time of no calendar',
    help: 'write an ISO time as 2026-01-02T03:04:05Z; the other lines are decided',
  },
  W410: {
    title: 'no record was compared',
    help: 'give the world in which they were recorded; `replay` compares records that say what was decided',
  },
};
