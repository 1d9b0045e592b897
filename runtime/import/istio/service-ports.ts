/** Ports of Kubernetes services: which of them carry HTTP, as Istio chooses by their names. */
import { Fields, type Findings } from '../fields.js';
import type { KubeObject } from '../objects.js';

const HTTP = /^(?:http|http2|grpc|grpc-web)(?:-|$)/;
const APP = new Set(['http', 'http2', 'grpc', 'kubernetes.io/h2c', 'kubernetes.io/ws']);

export interface ServicePorts {
  readonly http: readonly number[];
  readonly tcp: readonly number[];
}

/** Ports of the workloads behind one service. */
export function servicePorts(object: KubeObject, findings: Findings): ServicePorts {
  const http: number[] = [];
  const tcp: number[] = [];
  for (const item of object.root.map('spec')?.list('ports') ?? []) {
    const port = Fields.of(item, findings, 'an item of `ports`');
    if (port === null) continue;
    const number = port.number('port');
    const target = port.tree('targetPort')?.value ?? number?.number;
    const app = port.text('appProtocol')?.text;
    const name = port.text('name')?.text ?? '';
    const isHttp = app === undefined ? HTTP.test(name) : APP.has(app);
    if (typeof target === 'number') (isHttp ? http : tcp).push(target);
    else if (isHttp) {
      const help = 'say its number: `--http-port N`';
      const message = `the port \`${String(target)}\` of the pods is known to them only by its name`;
      findings.error('W504', port.at, message, help);
    }
  }
  return { http, tcp };
}
