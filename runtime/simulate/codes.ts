/** Codes of scenarios and of what the simulator refuses. */
import type { CodeTable } from '../../compiler/diagnostic/index.js';

export const CODES: CodeTable = {
  W301: {
    title: 'unknown workload or service',
    help: 'name one of the world as name.namespace, or write an address',
  },
  W302: { title: 'case id given twice', help: 'give each case an id of its own' },
  W303: {
    title: 'not a place to connect to',
    help: 'write workload:port, service:port, address:port or [v6]:port',
  },
  W304: {
    title: 'no address of that family',
    help: 'leave `family` out, or give the workload an address of it',
  },
  W306: { title: 'not a time', help: 'write ISO 8601 with a zone, such as 2026-01-31T12:00:00Z' },
  W307: {
    title: 'bad random draw',
    help: 'write a fraction below 1, or a whole number below 4294967296',
  },
  W308: {
    title: 'case without a connection or request',
    help: 'give each case one `connect` or one `request`',
  },
  W309: {
    title: 'connection outside the mesh',
    help: 'at least one end must be a workload, and only workloads reach service addresses',
  },
  W310: {
    title: 'service without that port',
    help: 'name a port of the service, with its protocol',
  },
  W311: {
    title: 'request to a port without HTTP',
    help: 'give the port `protocol: http` in the world, or ask about the connection instead',
  },
  S001: { title: 'policy module does not start', help: 'build the bundle again with this version' },
  S003: {
    title: 'no Wasmtime that can be used',
    help: 'pip install wasmtime, or name the file with --wasmtime or WEFT_WASMTIME',
  },
  S002: {
    title: 'deadline exceeded',
    help: 'the decision counts as a trap; look for a loop without fuel',
  },
};
