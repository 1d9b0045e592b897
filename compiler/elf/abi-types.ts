/**
 * The structs of bpf/abi.h as clang describes them in BTF: libbpf's linker compares what a hook
 * declares with what a policy defines, by name, kind and size.
 */
import {
  ATTRIBUTE_SLOTS,
  CONNECTION,
  DECISION,
  HEAD,
  HEAD_MAX,
  HEAD_SLACK,
  HEADER_SLOTS,
  PARTY,
  POLICY_WORDS,
  REQUEST,
} from '../abi/index.js';
import type { IntType, Type } from '../ir/types.js';
import type { BtfBuilder, Member, TypeId } from './btf-builder.js';

const ADDRESS_BYTES = 16;

export interface AbiTypes {
  /** Parameters: the connection first, a second pointer is the decision. */
  readonly connection: TypeId;
  /** Added only where it is asked for: objects without request policies have no such type. */
  readonly request: () => TypeId;
  readonly decision: TypeId;
  readonly int: TypeId;
  readonly u8: TypeId;
  readonly param: (type: Exclude<Type, 'ptr'>) => TypeId;
  /** Entry points and the dispatcher answer `int`; subprograms 64 bits. */
  readonly result: (type: IntType | null) => TypeId;
}

/** Adds the types to a builder. */
export function abiTypes(b: BtfBuilder): AbiTypes {
  const unsigned = b.int('unsigned int', 4);
  const long = b.int('unsigned long long', 8);
  const byte = b.int('unsigned char', 1);
  const u32 = b.typedef('__u32', unsigned);
  const u64 = b.typedef('__u64', long);
  const u16 = b.typedef('__u16', b.int('unsigned short', 2));
  const u8 = b.typedef('__u8', byte);
  const int = b.int('int', 4, true);
  const at = (name: string, type: TypeId, byteOffset: number): Member => ({
    name,
    type,
    byteOffset,
  });
  const address = b.struct('weft_address', ADDRESS_BYTES, [at('word', b.array(u32, 4), 0)]);
  const party = b.struct('weft_party', PARTY.size, [
    at('address', address, PARTY.address),
    at('predicates', u64, PARTY.predicates),
    at('attributes', b.array(u32, ATTRIBUTE_SLOTS), PARTY.attributes),
  ]);
  const policySet = b.struct('weft_policy_set', 8 * POLICY_WORDS, [
    at('word', b.array(u64, POLICY_WORDS), 0),
  ]);
  const connection = b.struct('weft_connection', CONNECTION.size, [
    at('source', party, CONNECTION.source),
    at('destination', party, CONNECTION.destination),
    at('policies', policySet, CONNECTION.policies),
    at('now', u64, CONNECTION.now),
    at('zero', u64, CONNECTION.zero),
    at('random', u32, CONNECTION.random),
    at('destination_port', u16, CONNECTION.destinationPort),
    at('protocol', u8, CONNECTION.protocol),
    at('family', u8, CONNECTION.family),
  ]);
  const decision = b.struct('weft_decision', DECISION.size, [
    at('verdict', u32, DECISION.verdict),
    at('site', u32, DECISION.site),
    at('policy', u32, DECISION.policy),
    at('reason', u32, DECISION.reason),
    at('audited', policySet, DECISION.audited),
    at('shadow_allow', policySet, DECISION.shadowAllow),
    at('shadow_deny', policySet, DECISION.shadowDeny),
  ]);
  let request: TypeId | null = null;
  const addRequest = (): TypeId => {
    const head = b.struct('weft_head', HEAD.size, [
      at('length', u16, HEAD.length),
      at('status', u16, HEAD.status),
      at('minor', u8, HEAD.minor),
      at('flags', u8, HEAD.flags),
      at('reason', u16, HEAD.reason),
      at('method', u32, HEAD.method),
      at('target', u32, HEAD.target),
      at('path', u32, HEAD.path),
      at('query', u32, HEAD.query),
      at('host', u32, HEAD.host),
      at('headers', b.array(u32, HEADER_SLOTS), HEAD.headers),
      at('repeated', u16, HEAD.repeated),
      at('offset', u16, HEAD.offset),
      at('content_length', u64, HEAD.contentLength),
    ]);
    const struct = b.struct('weft_request', REQUEST.size, [
      at('connection', connection, REQUEST.connection),
      at('head', head, REQUEST.head),
      at('zero', u32, REQUEST.zero),
      at('bytes', b.array(u8, HEAD_MAX + HEAD_SLACK), REQUEST.bytes),
    ]);
    return b.pointer(b.constant(struct));
  };
  return {
    request: () => {
      request ??= addRequest();
      return request;
    },
    connection: b.pointer(b.constant(connection)),
    decision: b.pointer(decision),
    int,
    u8: byte,
    param: (type) => (type === 'i32' ? unsigned : long),
    result: (type) => (type === 'i64' ? long : int),
  };
}
