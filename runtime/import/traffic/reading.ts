/** What reading objects about traffic needs to know, and names of services in them. */
import type { Findings, Text } from '../fields.js';
import type { Services } from '../route/model.js';
import type { DestinationRule } from './destination-rule.js';

export interface TrafficReading {
  readonly findings: Findings;
  readonly services: Services;
  /** By service. */
  readonly rules: ReadonlyMap<string, DestinationRule>;
  /** Namespace of the object. */
  readonly namespace: string;
}

const DOMAIN = '.svc.cluster.local';

/**
 * The service that a host means: a short name is of the object's namespace. Null, and a finding, where the
 * world does not know it.
 */
export function serviceOf(
  host: Text,
  { findings, services, namespace }: Omit<TrafficReading, 'rules'>,
): string | null {
  const { at, text } = host;
  const short = text.endsWith(DOMAIN) ? text.slice(0, -DOMAIN.length) : text.replace(/\.svc$/, '');
  const name = short.includes('.') ? short : `${short}.${namespace}`;
  if (services.has(name)) return name;
  const help = 'name a world that has it: `--world FILE`; hosts outside of the mesh are not routed';
  findings.error('W504', at, `the host \`${text}\` is no service of the world`, help);
  return null;
}

/** Services that a list of `hosts` means; a name with a star those that end so. */
export function servicesOf(
  hosts: readonly Text[],
  reading: Omit<TrafficReading, 'rules'>,
): readonly string[] {
  const found = hosts.flatMap((host): readonly string[] => {
    const { at, text } = host;
    if (!text.includes('*')) {
      const service = serviceOf(host, reading);
      return service === null ? [] : [service];
    }
    const help = 'name the services one by one';
    reading.findings.error('W504', at, `the host \`${text}\` means services by a pattern`, help);
    return [];
  });
  return [...new Set(found)];
}
