/** Both variants of the discovery protocol as machines, message by message, as the xDS specification says. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createDeltaStream } from '../../runtime/control/delta-stream.js';
import type { Resource, View } from '../../runtime/control/resource.js';
import { createSotwStream } from '../../runtime/control/sotw-stream.js';
import {
  create,
  type DeltaDiscoveryRequest,
  DeltaDiscoveryRequestSchema,
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  MAX_NAMES,
  NODE_BUNDLE_URL,
  StatusSchema,
} from '../../runtime/control/wire/index.js';

const test = suite('discovery streams');
const NACK = create(StatusSchema, { code: 3, message: 'no' });

const resource = (name: string, version: string): Resource => ({
  ...{ name, version, body: new Uint8Array([1]) },
});

function view(resources: Readonly<Record<string, string>>, held: readonly string[] = []): View {
  return {
    resources: new Map(Object.entries(resources).map(([n, v]) => [n, resource(n, v)])),
    held: new Set(held),
  };
}

type Delta = Partial<Omit<DeltaDiscoveryRequest, '$typeName'>>;

/** A delta stream that is spoken with in short. */
function delta(first: Delta = {}) {
  const machine = createDeltaStream('test');
  const receive = (request: Delta) =>
    machine
      .receive(create(DeltaDiscoveryRequestSchema, { typeUrl: NODE_BUNDLE_URL, ...request }))
      .map(
        ({ name, version, refused }) => `${refused === null ? 'ack' : 'nack'} ${name} ${version}`,
      );
  receive(first);
  let nonce = '';
  const next = (now: View): string => {
    const response = machine.next(now);
    if (response === null) return '';
    nonce = response.nonce;
    const came = response.resources.map(({ name, version }) => `${name} ${version}`);
    return [...came, ...response.removedResources.map((name) => `-${name}`)].join(', ');
  };
  return {
    receive,
    next,
    ack: () => receive({ responseNonce: nonce }),
    nack: () => receive({ responseNonce: nonce, errorDetail: NACK }),
    nonce: () => nonce,
  };
}

test('delta: all at first, then what changed, one at a time and each answered', () => {
  const stream = delta();
  assert.is(stream.next(view({ a: '1', b: '1' })), 'a 1');
  assert.is(stream.next(view({ a: '1', b: '1' })), '', 'the first is not answered');
  assert.equal(stream.ack(), ['ack a 1']);
  assert.is(stream.next(view({ a: '1', b: '2' })), 'b 2', 'as it is now');
  assert.equal(stream.ack(), ['ack b 2']);
  assert.is(stream.next(view({ a: '1', b: '2' })), '');
  assert.is(stream.next(view({ a: '2', b: '2' })), 'a 2');
});

test('delta: what is gone is told once; what cannot be had now is not gone', () => {
  const stream = delta();
  stream.next(view({ a: '1' }));
  stream.ack();
  assert.is(stream.next(view({}, ['a'])), '');
  assert.is(stream.next(view({})), '-a');
  assert.equal(stream.ack(), []);
  assert.is(stream.next(view({})), '');
});

test('delta: a refused version is not sent again, the next one is', () => {
  const stream = delta();
  stream.next(view({ a: '1' }));
  assert.equal(stream.nack(), ['nack a 1']);
  assert.is(stream.next(view({ a: '1' })), '');
  assert.is(stream.next(view({ a: '2' })), 'a 2');
});

test('delta: an answer to what was answered before says nothing', () => {
  const stream = delta();
  stream.next(view({ a: '1' }));
  const old = stream.nonce();
  stream.ack();
  stream.next(view({ a: '2' }));
  assert.equal(stream.receive({ responseNonce: old, errorDetail: NACK }), []);
  assert.equal(stream.receive({ responseNonce: 'never given' }), []);
  assert.is(stream.next(view({ a: '3' })), '', 'still not answered');
  assert.equal(stream.ack(), ['ack a 2']);
});

test('delta: who comes back is sent what is new to it alone', () => {
  const stream = delta({ initialResourceVersions: { a: '1', b: '1', c: '1' } });
  assert.is(stream.next(view({ a: '1', b: '2' })), '-c');
  stream.ack();
  assert.is(stream.next(view({ a: '1', b: '2' })), 'b 2');
  stream.ack();
  assert.is(stream.next(view({ a: '1', b: '2' })), '');
});

test('delta: names asked for are answered, also that there is none', () => {
  const stream = delta({ resourceNamesSubscribe: ['a', 'none'] });
  const now = view({ a: '1', b: '1' });
  assert.is(stream.next(now), '-none');
  stream.ack();
  assert.is(stream.next(now), 'a 1');
  stream.ack();
  assert.is(stream.next(now), '', 'b was not asked for');
  // Asked again: sent again (xDS, "Subscribing to Resources").
  stream.receive({ resourceNamesSubscribe: ['a'] });
  assert.is(stream.next(now), 'a 1');
  stream.ack();
  stream.receive({ resourceNamesUnsubscribe: ['a'] });
  assert.is(stream.next(view({ a: '2' })), '');
});

test('delta: a name taken back while all are wanted is told anew', () => {
  const stream = delta({ resourceNamesSubscribe: ['*', 'a'] });
  stream.next(view({ a: '1' }));
  stream.ack();
  stream.receive({ resourceNamesUnsubscribe: ['a'] });
  assert.is(stream.next(view({ a: '1' })), 'a 1');
  stream.ack();
  stream.receive({ resourceNamesUnsubscribe: ['*'] });
  assert.is(stream.next(view({ a: '2' })), '');
});

test('what a stream may hold is bounded, and its type is one', () => {
  const names = Array.from({ length: MAX_NAMES + 1 }, (_, i) => `n${i}`);
  assert.throws(() => delta({ resourceNamesSubscribe: names }), /more than/);
  assert.throws(() => delta({ initialResourceVersions: { a: 'x'.repeat(600) } }), /too long/);
  assert.throws(() => delta({ typeUrl: 'type.googleapis.com/other' }), /not served/);
  assert.throws(() => delta({ resourceNamesUnsubscribe: names }), /more than/);
  assert.throws(() => sotw({ resourceNames: names }), /more than/);
  assert.not.throws(() => sotw({ resourceNames: names.slice(1) }));
  const stream = delta({ resourceNamesSubscribe: names.slice(0, MAX_NAMES) });
  assert.throws(() => stream.receive({ resourceNamesSubscribe: ['one-more'] }), /more than/);
});

type Sotw = Partial<Omit<DiscoveryRequest, '$typeName'>>;

function sotw(first: Sotw = {}) {
  const machine = createSotwStream('test');
  const receive = (request: Sotw) =>
    machine
      .receive(create(DiscoveryRequestSchema, { typeUrl: NODE_BUNDLE_URL, ...request }))
      .map(({ name, refused }) => `${refused === null ? 'ack' : 'nack'} ${name}`);
  receive(first);
  let last = { nonce: '', version: '' };
  return {
    receive,
    next(now: View): number | null {
      const response = machine.next(now);
      if (response === null) return null;
      last = { nonce: response.nonce, version: response.versionInfo };
      return response.resources.length;
    },
    answer: (more: Sotw = {}) =>
      receive({ versionInfo: last.version, responseNonce: last.nonce, ...more }),
    last: () => last,
  };
}

test('state of the world: all of it each time, under one version', () => {
  const stream = sotw();
  assert.is(stream.next(view({ a: '1', b: '1' })), 2);
  const { version } = stream.last();
  assert.equal(stream.answer(), ['ack a', 'ack b']);
  assert.is(stream.next(view({ a: '1', b: '1' })), null);
  assert.is(stream.next(view({ a: '1' })), 1, 'what is left out is gone');
  assert.is.not(stream.last().version, version);
  stream.answer();
  assert.is(stream.next(view({}, ['a'])), null, 'a is only out of reach');
  assert.is(stream.next(view({})), 0);
});

test('state of the world: stale nonces are ignored, with all that they ask', () => {
  const stream = sotw();
  stream.next(view({ a: '1' }));
  const { nonce } = stream.last();
  stream.answer();
  stream.next(view({ a: '2' }));
  assert.equal(stream.receive({ responseNonce: nonce, resourceNames: ['b'] }), []);
  assert.equal(stream.answer({ errorDetail: NACK }), ['nack a']);
  assert.is(stream.next(view({ a: '2' })), null, 'refused: not sent again');
  assert.is(stream.next(view({ a: '3' })), 1);
});

test('state of the world: names narrow and widen, none after some is none', () => {
  const stream = sotw({ resourceNames: ['a'] });
  const now = view({ a: '1', b: '1' });
  assert.is(stream.next(now), 1);
  stream.answer({ resourceNames: ['a', 'b'] });
  assert.is(stream.next(now), 2);
  stream.answer({ resourceNames: [] });
  assert.is(stream.next(now), 0);
  stream.answer({ resourceNames: ['*'] });
  assert.is(stream.next(now), 2);
});

test.run();
