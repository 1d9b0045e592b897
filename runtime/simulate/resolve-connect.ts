/**
 * Finds the ends of a connection in the world, from the texts that people write: a workload, a
 * service with port, or an address. Where a workload has a service's name, the service is meant for
 * the ports that it has, the workload for others.
 */
import {
  type Address,
  formatAddress,
  parseAddress,
  type Service,
  type Workload,
  type World,
} from '../discovery/index.js';
import { didYouMean } from '../schema/index.js';
import type { DecideInput } from './outcome.js';

export interface ConnectText {
  readonly from: string;
  readonly to: string;
  readonly protocol?: 'tcp' | 'udp';
  readonly family?: 4 | 6;
}

export interface ConnectFault {
  readonly code: string;
  readonly message: string;
  readonly help: string | null;
  /** The text that it is about. */
  readonly part: 'from' | 'to' | 'family';
}

export type ConnectEnds = Pick<DecideInput, 'source' | 'destination' | 'protocol'>;
export type ConnectOutcome =
  | { readonly ok: true; readonly ends: ConnectEnds }
  | { readonly ok: false; readonly fault: ConnectFault };

interface Place {
  readonly host: string;
  readonly port: number | null;
}

/** Splits `host:port`, `[v6]:port`, or a bare host; null where the port is no port. */
function splitPlace(text: string): Place | null {
  const bracketed = /^\[([^\]]*)\](?::(\d+))?$/.exec(text);
  if (bracketed === null && text.split(':').length > 2) return { host: text, port: null };
  const plain = bracketed ?? /^([^:]*)(?::(\d+))?$/.exec(text);
  if (plain === null) return null;
  const port = plain[2] === undefined ? null : Number(plain[2]);
  if (port !== null && (port < 1 || port > 65535)) return null;
  return { host: plain[1] ?? '', port };
}

/** The address of the wanted family; without a wish IPv4 where there is one. */
function pick(addresses: readonly Address[], family: 4 | 6 | undefined): Address | null {
  const of = (wanted: 4 | 6): Address | undefined => addresses.find((a) => a.family === wanted);
  return (family === undefined ? (of(4) ?? of(6)) : of(family)) ?? null;
}

function unknown(world: World, part: 'from' | 'to', name: string): ConnectFault {
  const services = part === 'to' ? world.services.map((s) => s.name) : [];
  const known = [...world.workloads.map((w) => w.name), ...services];
  const kind = part === 'to' ? 'workload, service' : 'workload';
  const message = `\`${name}\` is no ${kind} or address`;
  // A name without its namespace is the commonest slip.
  const full = new Set(known.filter((one) => one.startsWith(`${name}.`)));
  const [only = name] = full.size === 1 ? full : [];
  return { code: 'W301', message, help: didYouMean(only, known), part };
}

function noFamily(name: string, family: 4 | 6, part: ConnectFault['part']): ConnectFault {
  return { code: 'W304', message: `\`${name}\` has no IPv${family} address`, help: null, part };
}

function badPlace(text: string, part: 'from' | 'to'): ConnectFault {
  const help = 'write workload:port, service:port, address:port or [v6]:port';
  const message =
    part === 'to' ? `\`${text}\` is not a place with a port` : `\`${text}\` is not a source`;
  return { code: 'W303', message, help, part };
}

type Found<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: ConnectFault };
function done<T>(value: T): Found<T> {
  return { ok: true, value };
}
const fail = (fault: ConnectFault): { readonly ok: false; readonly fault: ConnectFault } => ({
  ok: false,
  fault,
});

/** The service or workload that a name with a port means. */
function findNamed(
  world: World,
  { host, port }: { readonly host: string; readonly port: number },
  protocol: 'tcp' | 'udp',
): Found<Service | Workload> {
  const service = world.services.find((s) => s.name === host);
  const ports = service?.ports.filter((p) => (p.protocol === 'udp' ? 'udp' : 'tcp') === protocol);
  if (service !== undefined && ports?.some((p) => p.port === port)) return done(service);
  const workload = world.workloads.find((w) => w.name === host);
  if (workload !== undefined) return done(workload);
  if (service === undefined) return fail(unknown(world, 'to', host));
  const known = service.ports.map((p) => `${p.port}${p.protocol === 'udp' ? ' (udp)' : ''}`);
  const message = `the service \`${host}\` has no ${protocol} port ${port}`;
  return fail({ code: 'W310', message, help: `its ports: ${known.join(', ')}`, part: 'to' });
}

function findDestination(
  world: World,
  { to, family, protocol = 'tcp' }: ConnectText,
): Found<ConnectEnds['destination']> {
  const place = splitPlace(to);
  if (place === null || place.port === null) return fail(badPlace(to, 'to'));
  const { host, port } = place;
  const literal = parseAddress(host);
  if (literal !== null) {
    const isOther = family !== undefined && literal.family !== family;
    return isOther ? fail(noFamily(host, family, 'to')) : done({ address: literal, port });
  }
  const named = findNamed(world, { host, port }, protocol);
  if (!named.ok) return named;
  const address = pick(named.value.addresses, family);
  if (address === null) return fail(noFamily(host, family ?? 4, 'family'));
  return done({ address, port });
}

function workloadAt(world: World, address: Address): number | null {
  const index = world.workloads.findIndex((w) =>
    w.addresses.some((a) => formatAddress(a.bytes) === address.text),
  );
  return index < 0 ? null : index;
}

function findSource(world: World, text: string, family: 4 | 6): Found<ConnectEnds['source']> {
  const place = splitPlace(text);
  if (place === null || place.port !== null) return fail(badPlace(text, 'from'));
  const literal = parseAddress(place.host);
  if (literal !== null) {
    if (literal.family !== family) return fail(noFamily(text, family, 'from'));
    return { ok: true, value: { workload: workloadAt(world, literal), address: literal } };
  }
  const index = world.workloads.findIndex((w) => w.name === place.host);
  const workload: Workload | undefined = world.workloads[index];
  if (workload === undefined) return fail(unknown(world, 'from', place.host));
  const address = workload.addresses.find((a) => a.family === family) ?? null;
  if (address === null) return fail(noFamily(text, family, 'from'));
  return { ok: true, value: { workload: index, address } };
}

function endsOf(world: World, connect: ConnectText): ConnectOutcome {
  const destination = findDestination(world, connect);
  if (!destination.ok) return destination;
  const { address, port } = destination.value;
  const source = findSource(world, connect.from, address.family);
  if (!source.ok) return source;
  const protocol = connect.protocol === 'udp' ? 17 : 6;
  const isOutsider = source.value.workload === null;
  if (isOutsider && workloadAt(world, address) === null) {
    const message = `\`${connect.from}\` is outside the mesh, and \`${connect.to}\` is no workload`;
    const help = 'only connections of workloads reach services and places outside';
    return fail({ code: 'W309', message, help, part: 'to' });
  }
  return { ok: true, ends: { source: source.value, destination: { address, port }, protocol } };
}

/** Resolves both ends; refuses with W301, W303, W304, W309 or W310. Without `family` it is one that both ends have. */
export function resolveConnect(world: World, connect: ConnectText): ConnectOutcome {
  const outcome = endsOf(world, connect);
  if (outcome.ok || outcome.fault.code !== 'W304' || connect.family !== undefined) return outcome;
  const other = endsOf(world, { ...connect, family: 6 });
  if (other.ok || other.fault.code !== 'W304') return other;
  const help = 'give it one in the world: both ends need an address of the same family';
  return fail({ ...outcome.fault, help });
}
