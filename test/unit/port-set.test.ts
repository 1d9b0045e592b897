import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PortRange } from '../../compiler/frontend/types.js';
import { CHAIN_RANGES, planPorts, referencePorts } from '../../compiler/tables/index.js';
import {
  abiModule,
  ask,
  CONNECTION,
  connectionOf,
  expandAll,
  NO_DECLARATIONS,
  run,
} from '../support/abi-module.js';
import { findings } from './frontend-project.js';

const test = suite('port-set');

/** Compiled membership of any 32-bit number, which the connection's draw is here. */
function membership(ranges: readonly PortRange[]): (port: number) => boolean {
  const registry = { ...NO_DECLARATIONS, ports: [{ name: 's', ranges, at: null }] };
  const module = abiModule((emit, func) => {
    const port = emit.loadPointer(connectionOf(func), CONNECTION.random, 4);
    return ask(emit, 'ports_contain', [emit.constant('i32', 0), port]);
  });
  assert.equal(expandAll(module, registry).diagnostics, []);
  return (port) => {
    const connection = new Uint8Array(CONNECTION.size);
    new DataView(connection.buffer).setUint32(CONNECTION.random, port, true);
    return run(module, connection) === 1;
  };
}

const EDGES = [0, 1, 63, 64, 65534, 65535, 65536, 65599, 0x7fffffff, 0xffffffff];

for (const count of [0, 1, CHAIN_RANGES, CHAIN_RANGES + 1, 40]) {
  test(`${count} ranges apart: their ends are in them, their neighbours are not`, () => {
    const ranges = Array.from({ length: count }, (_, i) => ({
      first: i * 1000 + (i % 3),
      last: i * 1000 + (i % 7) * 50 + 2,
    })).toReversed();
    assert.is(planPorts({ ranges }).kind, count > CHAIN_RANGES ? 'bits' : 'chain');
    const contains = membership(ranges);
    const near = ranges.flatMap(({ first, last }) => [first - 1, first, last, last + 1]);
    for (const port of [...EDGES, ...near.filter((p) => p >= 0)]) {
      assert.is(contains(port), referencePorts(ranges, port), `port ${port}`);
    }
  });
}

test('ranges that touch or overlap are one, whatever their order', () => {
  const ranges = Array.from({ length: 200 }, (_, i) => ({
    first: 5000 - i,
    last: 5000 - (i >> 1),
  }));
  assert.equal(planPorts({ ranges }), {
    kind: 'chain',
    ranges: [{ first: 4801, last: 5000 }],
  });
});

test('what is no range of ports is an error at its line', async () => {
  const found = await findings(`const web = new PortSet("web").add(80);
web.add(443, 80);
web.add(1, 65536);
web.add(65535).add(2, 0);
export function authorizeConnection(connection: Connection): Verdict {
  return web.contains(connection.destination.port) ? Verdict.Allow : Verdict.Deny;
}`);
  assert.equal(found, [
    'P127 policy.ts:3:14 `443` to `80` is no range of ports',
    'P127 policy.ts:4:12 `1` to `65536` is no range of ports',
  ]);
});

test.run();
