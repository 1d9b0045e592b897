/** The resource that nodes ask for, and its name: one bundle's name may stand for two resources. */
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  type NodeBundle,
  NodeBundle_Mode,
  NodeBundleSchema,
} from './gen/weft/control/v1/bundle_pb.js';

export const NODE_BUNDLE_URL = 'type.googleapis.com/weft.control.v1.NodeBundle';

export type BundleMode = 'enforce' | 'shadow';

/** What a node does with it: enforce it, or decide by it beside what it enforces. */
export interface Item {
  readonly name: string;
  /** sha256:…, of the OCI manifest. */
  readonly digest: string;
  readonly mode: BundleMode;
  readonly bundle: Uint8Array;
  readonly signatures: Uint8Array | null;
}

const SHADOW = '/shadow';

/** The name of the resource. */
export function resourceName(name: string, mode: BundleMode): string {
  return mode === 'shadow' ? `${name}${SHADOW}` : name;
}

/** The bundle's name and the mode that a resource's name stands for. */
export function parseResourceName(text: string): { name: string; mode: BundleMode } {
  return text.endsWith(SHADOW)
    ? { name: text.slice(0, -SHADOW.length), mode: 'shadow' }
    : { name: text, mode: 'enforce' };
}

/** The item as bytes of a resource, always the same for the same item. */
export function encodeItem({ name, digest, mode, bundle, signatures }: Item): Uint8Array {
  const message: NodeBundle = {
    ...{ $typeName: NodeBundleSchema.typeName, name, digest, bundle },
    mode: mode === 'shadow' ? NodeBundle_Mode.SHADOW : NodeBundle_Mode.ENFORCE,
    signatures: signatures ?? new Uint8Array(),
  };
  return toBinary(NodeBundleSchema, message);
}

/** The item in a resource. Throws where the bytes are none, or name no mode that this side knows. */
export function decodeItem(bytes: Uint8Array): Item {
  const { name, digest, mode, bundle, signatures } = fromBinary(NodeBundleSchema, bytes);
  if (mode !== NodeBundle_Mode.ENFORCE && mode !== NodeBundle_Mode.SHADOW) {
    throw new Error(`mode ${mode} is not known here`);
  }
  return {
    ...{ name, digest, bundle },
    mode: mode === NodeBundle_Mode.SHADOW ? 'shadow' : 'enforce',
    signatures: signatures.length === 0 ? null : signatures,
  };
}
