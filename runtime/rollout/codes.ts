/** Diagnostic codes of rollouts. */
import type { CodeTable } from '../../compiler/diagnostic/index.js';

export const CODES: CodeTable = {
  C101: {
    title: 'stage contradicts itself',
    help: 'a canary has a percentage or labels, other stages have neither; shadow comes first, all last, percentages grow',
  },
  C102: {
    title: 'not a duration, or none that can be meant',
    help: 'write a number and a unit: 500ms, 30s, 5m, 2h or 1d; `silence` is 20s or more',
  },
  C103: {
    title: 'a rollout is under way',
    help: 'wait until it is done, or end it with `weft rollout undo NAME`; a first one is paused and another deployed in its place',
  },
  C104: { title: 'nothing to roll out', help: '`weft rollout status` shows what the nodes run' },
  C105: {
    title: 'nodes belong to another rollout',
    help: 'a node runs one bundle: choose other nodes with `--target`',
  },
  C106: {
    title: 'no node is meant',
    help: '`weft status --control …` lists the nodes and their labels',
  },
  C107: {
    title: 'target leaves nodes behind',
    help: 'leave `--target` out, or name fewer labels than before',
  },
  C108: {
    title: 'the rollout is not in that state',
    help: '`weft rollout status` shows its state',
  },
  C109: {
    title: 'a gate is shut',
    help: 'remove the cause, or undo the rollout (not a first one) and deploy another bundle or with other gates',
  },
  C110: {
    title: 'nothing to go back to',
    help: 'it is the first rollout: pause it and deploy another bundle in its place; `weft unload` on a node removes it there',
  },
  C111: {
    title: 'damaged rollout in the store',
    help: 'another program wrote there, or another version; restore the store',
  },
  C112: { title: 'bundle is not in the store', help: '`weft deploy` gives the bundle first' },
  C113: { title: 'others are always first', help: 'try again' },
  C114: { title: 'no such rollout', help: '`weft rollout status` lists them' },
};
