/** What an etcd cluster may not answer is refused, and ends. */
import { create, toBinary } from '@bufbuild/protobuf';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RangeResponseSchema } from '../../runtime/store/etcd/gen/etcd/rpc_pb.js';
import { StoreError } from '../../runtime/store/index.js';
import { storeOfAnswer } from '../support/etcd-answers.js';

const test = suite('store: answers of etcd');
const KVS = ['a', 'b'].map((name) => ({ key: Buffer.from(`weft/nodes/${name}`), modRevision: 3n }));

/** A store that gives this page of a list again and again. */
const paged = (more: boolean) =>
  storeOfAnswer(toBinary(RangeResponseSchema, create(RangeResponseSchema, { kvs: KVS, more })));

test('a page that leads nowhere is refused: D112', async () => {
  const code = await paged(true)
    .list('nodes/')
    .then(
      () => 'listed',
      (error: unknown) => (error instanceof StoreError ? error.code : String(error)),
    );
  assert.is(code, 'D112');
});

test('the same page, the last one, is a list', async () => {
  const { entries } = await paged(false).list('nodes/');
  assert.equal(
    entries.map(({ key }) => key),
    ['nodes/a', 'nodes/b'],
  );
});

test.run();
