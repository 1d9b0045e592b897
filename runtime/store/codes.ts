/** Diagnostic codes of the control plane's store. */
import type { CodeTable } from '../../compiler/diagnostic/index.js';

export const CODES: CodeTable = {
  D101: {
    title: 'not a store',
    help: 'write file:FOLDER or etcd:https://HOST:PORT[,https://HOST:PORT]',
  },
  D102: {
    title: 'the watch has fallen behind',
    help: 'what it would have to tell is no longer kept; list anew, and watch from there',
  },
  D103: {
    title: 'another process has the store open',
    help: 'a folder serves one control plane at a time; for several, use etcd',
  },
  D104: {
    title: 'the store is damaged',
    help: 'the message names the file and the byte; put the folder back from a copy, or move it away: nodes go on with what they run, and report again',
  },
  D105: {
    title: 'the outcome of a commit is unknown',
    help: 'the answer was lost; read the keys again',
  },
  D106: {
    title: 'the store cannot write',
    help: 'make room on the disk, or correct the permissions of the folder; start the control plane again where the message asks for it',
  },
  D107: {
    title: 'the store cannot be reached',
    help: 'check that a majority of the etcd members runs, their addresses, and the network',
  },
  D108: {
    title: 'the store refuses this client',
    help: 'check the certificate, the key and the authority that were given for it',
  },
  D109: { title: 'the lease has ended', help: 'take a new lease, and look who holds the key now' },
  D110: { title: 'the store is closed', help: 'open it again' },
  D111: {
    title: 'too large for the store',
    help: 'the limits stand in docs/limits.md; split the value, or keep it in a registry',
  },
  D112: {
    title: 'etcd answers what it may not',
    help: 'ask the members themselves (version 3.4 or newer), without a proxy between',
  },
};
