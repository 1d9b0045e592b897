// The demo's traffic: who calls whom, by service address and by endpoint address, over IPv4 and IPv6.

/** Calls that Bookinfo makes, and calls that nobody should make. Read with policies/examples/bookinfo. */
const TCP = [
  ['productpage', 'details'],
  ['productpage', 'reviews'],
  ['reviews-v2', 'ratings'],
  ['reviews-v3', 'ratings'],
  ['acme', 'productpage'],
  // near misses of the five above
  ['details', 'reviews'],
  ['productpage', 'ratings'],
  ['reviews-v1', 'ratings'],
  ['ratings', 'reviews'],
  ['globex', 'productpage'],
  ['initech', 'productpage'],
  ['shell', 'reviews'],
  ['acme', 'details'],
];
const UDP = [
  ['reviews-v1', 'ratings'],
  ['reviews-v2', 'ratings'],
  ['reviews-v3', 'ratings'],
  ['productpage', 'ratings'],
  ['shell', 'ratings'],
];
/** From outside the mesh, straight to an endpoint: the receiving side alone decides. */
const OUTSIDE = [
  ['outsider', 'details'],
  ['outsider', 'ratings'],
];

/** All flows { id, from, address, port, protocol, family, connected } of a world. */
export function flows(world, outsider) {
  const service = (name) => world.services.find((s) => s.name === `${name}.prod`);
  const backend = (name) =>
    world.workloads.find((w) => w.labels.app === name && w.labels.version === 'v1');
  const six = (address) => address.includes(':');
  const list = [];
  const add = (from, to, protocol, family, how, connected = false) => {
    const pick = (addresses) => addresses.find((a) => six(a) === (family === 6));
    const { port, target } = service(to).ports.find(
      (p) => (p.protocol === 'udp') === (protocol === 'udp'),
    );
    const direct = how === 'endpoint';
    list.push({
      id: `${from}->${to}/${protocol}${family}${direct ? '/direct' : ''}${connected ? '/connected' : ''}`,
      from,
      source: from === outsider.name ? pick(outsider.addresses) : null,
      address: pick(direct ? backend(to).addresses : service(to).addresses),
      port: direct ? target : port,
      protocol,
      family,
      connected,
      label: direct ? `${to} (endpoint)` : to,
    });
  };
  for (const family of [4, 6]) {
    for (const [from, to] of TCP)
      for (const how of ['service', 'endpoint']) add(from, to, 'tcp', family, how);
    for (const [from, to] of UDP)
      for (const connected of [false, true]) add(from, to, 'udp', family, 'service', connected);
    for (const [from, to] of OUTSIDE) add(from, to, 'tcp', family, 'endpoint');
  }
  return list;
}
