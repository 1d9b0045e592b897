/**
 * Byte layouts of the data plane's maps and records: the twin of bpf/types.h. The unit test
 * `layout` compares every offset and size with the BTF of the built object, so a change on one
 * side alone fails. Little-endian, but for addresses, which are in network order.
 */
/** Offsets of the fields of each struct, by the names of bpf/types.h, and its size. */
export const LAYOUT = {
  weft_active: { slot: 0, generation: 4, size: 8 },
  weft_enrolment: { cgroup: 0, workload: 8, size: 16 },
  weft_flow_key: { cookie: 0, remote: 8, port: 24, kind: 26, cgroup: 28, size: 32 },
  weft_flow: { peer: 0, port: 16, zero: 18, generation: 20, size: 24 },
  weft_socket: {
    name: 0,
    endpoint: 16,
    name_port: 32,
    endpoint_port: 34,
    zero: 36,
    size: 40,
  },
  weft_service_key: { address: 0, port: 16, protocol: 18, zero: 19, size: 20 },
  weft_service: { service: 0, cluster: 4, policies: 8, flags: 24, zero: 28, size: 32 },
  weft_cluster: { first: 0, count: 4, balance: 8, zero: 12, size: 16 },
  weft_endpoint: { address: 0, port: 16, zero: 18, workload: 20, size: 24 },
  weft_view: { predicates: 0, attributes: 8, size: 72 },
  weft_identity: {
    source: 0,
    destination: 72,
    policies: 144,
    address4: 160,
    address6: 176,
    here: 192,
    zero: 196,
    size: 200,
  },
  weft_input: {
    source: 0,
    destination: 16,
    cgroup: 32,
    now: 40,
    workload: 48,
    random: 52,
    pick: 56,
    port: 60,
    protocol: 62,
    flags: 63,
    size: 64,
  },
  weft_decision: {
    verdict: 0,
    site: 4,
    policy: 8,
    reason: 12,
    audited: 16,
    shadow_allow: 32,
    shadow_deny: 48,
    size: 64,
  },
  weft_result: {
    decision: 0,
    route: 64,
    route_site: 68,
    service: 72,
    cluster: 76,
    endpoint: 80,
    endpoint_port: 96,
    flags: 98,
    pick: 100,
    source: 104,
    destination: 108,
    size: 112,
  },
  weft_event: {
    input: 0,
    result: 64,
    time: 176,
    cookie: 184,
    generation: 192,
    source_port: 196,
    family: 198,
    hook: 199,
    size: 200,
  },
  weft_policy_packet: {
    mode: 0,
    route: 4,
    connection: 8,
    decision: 224,
    verdict: 288,
    zero: 292,
    size: 296,
  },
  weft_open: {
    cookie: 0,
    local: 8,
    remote: 24,
    local_port: 40,
    remote_port: 42,
    verdict: 44,
    size: 48,
  },
  weft_decide_packet: { input: 0, result: 64, size: 176 },
} as const;

/** "No workload", "no cluster", "no service". */
export const NONE = 0xffffffff;
/** Generations that stay loaded: slots of every `weft_slots_<hook>`. */
export const SLOTS = 8;

/** Hooks in the order of enum weft_hook; program `weft_<hook>`, stub `stub_<hook>`, array `weft_slots_<hook>`. */
export const HOOKS = [
  'connect4',
  'connect6',
  'sendmsg4',
  'sendmsg6',
  'recvmsg4',
  'recvmsg6',
  'getpeername4',
  'getpeername6',
  'request',
  'ingress',
  'server',
  'accept',
] as const;
export type HookName = (typeof HOOKS)[number];

/** A stub without a slot: it needs no generation. */
export const SOCK_CREATE_STUB = 'stub_sock_create';

/** Maps that are made once on a node and reused by name in every object. */
export const NODE_MAPS = [
  'weft_active',
  'weft_enrolled',
  'weft_flows',
  'weft_sockets',
  'weft_events',
  'weft_losses',
  'weft_reasons',
] as const;
/** The same for what the test harness has no part in. */
export const REQUEST_NODE_MAPS = [
  'weft_http',
  'weft_wanted',
  'weft_endings',
  'weft_clients',
  'weft_proofs',
  'weft_meetings',
  'weft_peers',
  'weft_servers',
  'weft_served',
  'weft_strangers',
  'weft_server_states',
  'weft_held',
  'weft_held_empty',
] as const;
/** The same for what only hooks that judge requests have a part in. */
export const EXCHANGE_NODE_MAPS = [
  'weft_slots_server',
  'weft_pools',
  'weft_leases',
  'weft_upstreams',
  'weft_handovers',
  'weft_doors',
  'weft_door_idle',
] as const;

export const BALANCE = { 'round-robin': 0, random: 1 } as const;
export const FLOW_KIND = { sent: 1, name: 2, admitted: 3 } as const;
/** weft_service.flags. */
export const SERVICE_FLAG = { http: 1, direct: 2 } as const;
/** weft_input.flags: the pick is given. */
export const INPUT_PICK = 1;
