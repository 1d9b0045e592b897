/** runtime/agent/layout.ts and bpf/types.h are one layout: every field of every struct, by BTF. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  decodeActive,
  decodeEvent,
  encodeActive,
  encodeIdentity,
  encodeServiceKey,
  HOOKS,
  LAYOUT,
  REQUEST_LAYOUT,
  sumCounter,
} from '../../runtime/agent/layout.js';
import { FORWARD_LAYOUT } from '../../runtime/forward/layout.js';
import { readLayouts } from '../support/c-twin.js';

const test = suite('layout');
const objects = ['account', 'agent', 'stubs', 'hooks', 'request-hooks', 'harness'];
const built = new Map(objects.flatMap((object) => [...readLayouts(`bpf/${object}.o`)]));

for (const [name, layout] of Object.entries({ ...LAYOUT, ...REQUEST_LAYOUT, ...FORWARD_LAYOUT }))
  test(`${name} is where the object has it`, () => {
    assert.equal(layout, built.get(name));
  });

test('a layout that differs in one offset is told', () => {
  assert.not.equal({ ...LAYOUT.weft_event, hook: 165 }, built.get('weft_event'));
});

test('weft_active survives a round trip', () => {
  assert.equal(decodeActive(encodeActive(3, 70000)), { slot: 3, generation: 70000 });
});

test('an event is read field by field', () => {
  const { weft_event: at, weft_input: input, weft_result: result } = LAYOUT;
  const record = new Uint8Array(at.size);
  const view = new DataView(record.buffer);
  view.setBigUint64(at.time, 12345678901234567890n, true);
  view.setUint32(at.result + result.decision + LAYOUT.weft_decision.site, 0xfffffffe, true);
  view.setUint16(at.input + input.port, 65535, true);
  view.setUint8(at.hook, HOOKS.indexOf('ingress'));
  record.set([1, 2, 3], at.result + result.endpoint + 13);
  const event = decodeEvent(record);
  assert.is(event.time, 12345678901234567890n);
  assert.equal([event.site, event.destinationPort, event.hook], [0xfffffffe, 65535, 'ingress']);
  assert.equal([...event.endpoint.subarray(12)], [0, 1, 2, 3]);
});

test('what is no event is refused', () => {
  const record = new Uint8Array(LAYOUT.weft_event.size);
  assert.throws(() => decodeEvent(record.subarray(1)), RangeError);
  record[LAYOUT.weft_event.hook] = HOOKS.length;
  assert.throws(() => decodeEvent(record), RangeError);
});

test('an encoder refuses what has no place', () => {
  const address = new Uint8Array(16);
  const view = { predicates: 0n, attributes: new Array<number>(17).fill(1) };
  const identity = {
    source: view,
    destination: view,
    policies: 0n,
    address4: null,
    address6: null,
    here: false,
  };
  assert.throws(() => encodeIdentity(identity), RangeError);
  assert.throws(
    () => encodeServiceKey({ address: address.subarray(4), port: 1, protocol: 6 }),
    RangeError,
  );
  assert.is(encodeServiceKey({ address, port: 258, protocol: 6 })[17], 1);
});

test('a counter is the sum over all CPUs', () => {
  const value = new Uint8Array(24);
  new DataView(value.buffer).setBigUint64(0, 2n ** 63n, true);
  new DataView(value.buffer).setBigUint64(16, 5n, true);
  assert.is(sumCounter(value), 2n ** 63n + 5n);
});

test.run();
