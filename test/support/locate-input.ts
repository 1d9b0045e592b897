/** Which classes of a space one input has: what compares decisions over sets with the simulator's, input by input. */
import { attributeText, serviceMembers, type World } from '../../runtime/discovery/index.js';
import { hashOf } from '../../runtime/prove/feasible.js';
import {
  type Field,
  HTTP_FIELD,
  type NumberField,
  type TextField,
} from '../../runtime/prove/field.js';
import type { Space } from '../../runtime/prove/guards.js';
import { namedValue } from '../../runtime/prove/named-search.js';
import { passes } from '../../runtime/prove/text-test.js';
import type { DecideInput } from '../../runtime/simulate/index.js';

function numberOf(bytes: Uint8Array | undefined): bigint {
  return (bytes ?? new Uint8Array(16)).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/** Classes by level. */
export function locateInput(
  space: Space,
  world: World,
  input: DecideInput,
): (level: number) => number {
  const source =
    input.source.workload === null ? null : (world.workloads[input.source.workload] ?? null);
  const destination =
    world.workloads.find((w) =>
      w.addresses.some((a) => a.text === input.destination.address.text),
    ) ?? null;
  const serviceOf = world.services.find((service) =>
    service.addresses.some((a) => a.text === input.destination.address.text),
  );
  const sides = { source, destination };
  const text = ({ of }: TextField): string | null => {
    if ('side' in of) {
      const workload = sides[of.side];
      return workload === null
        ? null
        : attributeText(workload, of.side, of.attribute, { key: of.key, trust: 'address' });
    }
    const { request } = input;
    if ('service' in of) return serviceOf?.name ?? null;
    if (request === undefined) return null;
    const header = (name: string): string | null =>
      request.headers.find(([key]) => key === name)?.[1] ?? null;
    if ('header' in of) return header(of.header);
    if ('list' in of) {
      const list = of.list === 'cookie' ? header('cookie') : (request.target.split('?')[1] ?? null);
      const place = list === null ? null : namedValue(of.list, of.name, list);
      return place === null || list === null ? null : list.slice(place[0], place[0] + place[1]);
    }
    if (of.view === 'method') return request.method;
    if (of.view === 'host') return header('host');
    const [path = '', query = null] = request.target.split('?');
    return of.view === 'path' ? path : query;
  };
  const number = (name: string): bigint => {
    switch (name) {
      case 'destination.port':
        return BigInt(input.destination.port);
      case 'protocol':
        return BigInt(input.protocol);
      case 'family':
        return BigInt(input.destination.address.family);
      case 'source.address':
        return numberOf(input.source.address?.bytes);
      case 'destination.address':
        return numberOf(input.destination.address.bytes);
      default:
        return input.now;
    }
  };
  const drawn = ({ name, residue, hashed }: NumberField): bigint => {
    const base = residue?.of.name ?? name;
    const whole =
      hashed !== undefined
        ? hashOf(text(hashed) ?? '')
        : base === 'draw'
          ? BigInt(input.random)
          : number(name);
    return residue === undefined ? whole : whole % residue.modulus;
  };
  const isHttp = world.services.some(
    (service) =>
      destination !== null &&
      service.ports.some((p) => p.protocol === 'http' && p.target === input.destination.port) &&
      serviceMembers(world, service).includes(destination),
  );
  const flag = (field: Field): boolean => {
    if (field.kind === 'same') return text(field.a) === text(field.b);
    if (field.name === HTTP_FIELD.name) return isHttp;
    return field.name.startsWith('source') ? source !== null : destination !== null;
  };
  const found = space.levels.map((classes): number => {
    const { field } = classes;
    if (classes.kind === 'flag') return flag(field) ? 1 : 0;
    if (classes.kind === 'number') {
      const value = drawn(classes.field);
      return classes.parts.findIndex(([from, to]) => value >= from && value <= to);
    }
    const have = text(classes.field);
    if (have === null) return classes.classes.findIndex(({ kind }) => kind === 'absent');
    const named = classes.classes.findIndex(
      (item) => item.kind === 'text' && item.second === null && item.text === have,
    );
    if (named >= 0) return named;
    const tests = [...(space.tests.get(field.name)?.values() ?? [])];
    return classes.classes.findIndex(
      (item) =>
        item.kind === 'text' &&
        item.second !== null &&
        tests.every((test) => passes(test, item.text) === passes(test, have)),
    );
  });
  return (level) => found[level] ?? -1;
}
