/** Byte layouts of the request path: the twin of bpf/request/types.h, compared as struct-layout.ts is. */
export const REQUEST_LAYOUT = {
  weft_name: { address: 0, port: 16, zero: 18, size: 20 },
  weft_request_event: {
    event: 0,
    method_length: 200,
    path_length: 204,
    status: 208,
    zero: 212,
    method: 216,
    path: 232,
    size: 296,
  },
  weft_account: { record: 0, request: 296, size: 8824 },
  weft_accounting: { told: 0, wanted: 4, size: 8 },
  weft_route: { kind: 0, value: 4, size: 8 },
  weft_reply_bytes: { length: 0, head_length: 2, closes: 4, bytes: 8, size: 1096 },
  weft_member: { cluster: 0, endpoint: 4, size: 24 },
} as const;

export const ROUTE_KIND = { cluster: 0, reply: 1, agent: 2 } as const;
