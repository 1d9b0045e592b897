/**
 * A service as grpc-js takes it: paths and streaming of each method, and how its messages become bytes,
 * all read off the generated descriptors.
 */
import {
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import type { MethodDefinition } from '@grpc/grpc-js';

/** Each method of a service, by the name that a server implements it under. */
export type MethodsOf<S extends DescService> = {
  readonly [K in keyof S['method']]: S['method'][K] extends {
    input: infer I extends DescMessage;
    output: infer O extends DescMessage;
  }
    ? MethodDefinition<MessageShape<I>, MessageShape<O>>
    : never;
};

function serialize(schema: DescMessage): (message: MessageShape<DescMessage>) => Buffer {
  return (message) => {
    const bytes = toBinary(schema, message);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
}

function methodOf(
  described: DescMethod,
): MethodDefinition<MessageShape<DescMessage>, MessageShape<DescMessage>> {
  const { parent, name, input, output, methodKind } = described;
  return {
    path: `/${parent.typeName}/${name}`,
    requestStream: methodKind === 'client_streaming' || methodKind === 'bidi_streaming',
    responseStream: methodKind === 'server_streaming' || methodKind === 'bidi_streaming',
    requestSerialize: serialize(input),
    requestDeserialize: (bytes) => fromBinary(input, bytes),
    responseSerialize: serialize(output),
    responseDeserialize: (bytes) => fromBinary(output, bytes),
  };
}

/** Every method of a generated service. */
export function methodsOf<S extends DescService>(service: S): MethodsOf<S> {
  const entries = Object.entries(service.method).map(([name, m]) => [name, methodOf(m)]);
  // The mapped type says of each method what its descriptor does.
  return Object.fromEntries(entries) as MethodsOf<S>;
}
