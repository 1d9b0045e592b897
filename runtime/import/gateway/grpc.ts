/**
 * What gRPC is on the wire, as far as HTTP/1.1 carries it (gRPC-Web): how its requests are told from others, and the
 * replies that end one without a backend. A reply of headers alone is what the protocol calls Trailers-Only.
 */
import { all, type Condition, test } from '../condition.js';

export const GRPC_REQUEST: Condition = all(
  test('request.method.is("POST")'),
  test('request.header("content-type").startsWith("application/grpc")'),
);

function status(code: number): string {
  return `respond(200, "", [["content-type", "application/grpc"], ["grpc-status", "${code}"]])`;
}

/** Replies where no rule matches, and where a rule has no backend with a weight. */
export const GRPC_STATUS: Readonly<Record<'unimplemented' | 'unavailable', string>> = {
  unimplemented: status(12),
  unavailable: status(14),
};
