/** What reading network policies needs to know. */
import type { Condition } from '../condition.js';
import type { Findings } from '../fields.js';
import type { Field } from '../istio/model.js';

export interface NetworkOptions {
  readonly namespace: string;
  /** Ports of workloads that carry HTTP. */
  readonly httpPorts: readonly number[];
  /** Address blocks of the cluster's nodes. */
  readonly nodes: readonly string[];
}

export interface NetworkReading {
  readonly findings: Findings;
  readonly options: NetworkOptions;
  /** Namespace of the object; null of one for the whole cluster. */
  readonly namespace: string | null;
  /** True of what denies: there, matching less would let through more. */
  readonly denies: boolean;
}

export const field = (condition: Condition): Field => ({ http: false, condition });

/** Nodes reach the workloads on them whatever policies say; here they are peers like any other. */
export function warnOfNodes(at: Parameters<Findings['warning']>[1], findings: Findings): void {
  const message = 'what a node itself sends to its workloads is refused where no rule lets it in';
  findings.warning('W505', at, message, 'a probe of kubelet');
}
