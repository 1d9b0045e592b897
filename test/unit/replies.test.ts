/** Replies that the mesh writes: their exact bytes. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  DEFAULT_REFUSALS,
  makeReply,
  REASON,
  REFUSALS,
  type ReasonName,
  type RefusalName,
  type ReplyParts,
  refusalOf,
  refusalReplies,
  replyBytes,
} from '../../compiler/abi/index.js';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

const refusals = suite('abi: refusals');
const ready: Readonly<Record<RefusalName, string>> = {
  deny: 'HTTP/1.1 403 Forbidden\r\ncontent-length: 19\r\ncontent-type: text/plain\r\n\r\nRBAC: access denied',
  noRoute: 'HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n',
  noEndpoint:
    'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 19\r\ncontent-type: text/plain\r\n\r\nno healthy upstream',
  unavailable: 'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n',
  parse: 'HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n',
  tooLarge:
    'HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n',
  notImplemented: 'HTTP/1.1 501 Not Implemented\r\ncontent-length: 0\r\nconnection: close\r\n\r\n',
  version:
    'HTTP/1.1 505 HTTP Version Not Supported\r\ncontent-length: 0\r\nconnection: close\r\n\r\n',
};
for (const name of REFUSALS) {
  refusals(name, () => {
    const reply = refusalReplies(DEFAULT_REFUSALS)[name];
    assert.is(text(replyBytes(reply)), ready[name]);
    assert.is(text(replyBytes(reply, true)), ready[name].replace(/(\r\n\r\n).*$/, '$1'));
    assert.is(reply.status, DEFAULT_REFUSALS[name].status);
  });
}
refusals('every reason has one', () => {
  const of = (reason: ReasonName): number => DEFAULT_REFUSALS[refusalOf(reason)].status;
  const have = (Object.keys(REASON) as ReasonName[]).map((reason) => `${reason} ${of(reason)}`);
  assert.equal(have, [
    'policy 403',
    'default 403',
    'noAllow 403',
    'trap 403',
    'fuel 403',
    'unknownIdentity 403',
    'noEndpoint 503',
    'noRoute 404',
    'noGeneration 503',
    'parse 400',
    'busy 503',
    'requests 403',
    'connection 403',
    'fault 503',
  ]);
});
refusals.run();

const replies = suite('abi: replies');
const rows: { name: string; have: ReplyParts; want: string }[] = [
  {
    name: 'a body counts in bytes',
    have: { status: 200, body: 'größer' },
    want: 'HTTP/1.1 200 OK\r\ncontent-length: 8\r\ncontent-type: text/plain\r\n\r\ngrößer',
  },
  {
    name: 'a type of its own, in any case',
    have: { status: 200, body: '{}', headers: [['Content-Type', 'application/json']] },
    want: 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nContent-Type: application/json\r\n\r\n{}',
  },
  {
    name: 'no body, no type',
    have: { status: 429, headers: [['retry-after', '1']] },
    want: 'HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\nretry-after: 1\r\n\r\n',
  },
  { name: 'no length in a 204', have: { status: 204 }, want: 'HTTP/1.1 204 No Content\r\n\r\n' },
  {
    name: 'no length in a 304',
    have: { status: 304, headers: [['etag', '"a"']] },
    want: 'HTTP/1.1 304 Not Modified\r\netag: "a"\r\n\r\n',
  },
  {
    name: 'a code without a phrase keeps the space (RFC 9112 4)',
    have: { status: 599 },
    want: 'HTTP/1.1 599 \r\ncontent-length: 0\r\n\r\n',
  },
];
for (const { name, have, want } of rows) {
  replies(name, () => assert.is(text(replyBytes(makeReply(have))), want));
}
replies.run();
