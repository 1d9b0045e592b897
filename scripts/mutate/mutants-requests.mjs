// The request path's C: refusals, and what is judged where it arrives.
const server = 'bpf/request/server.h';
const serverRefuse = 'bpf/request/server-refuse.h';
const sink = 'bpf/request/sink.h';
const atServer = 'kernel/http-server';
const atClient = 'kernel/http-bound';

export const REQUESTS = [
  {
    class: 'error => pass',
    name: 'a client of this node needs no proof',
    file: server,
    find: '(!weft_is_here(workload) || weft_is_proven(context))',
    replace: '1',
    suite: atServer,
  },
  {
    class: 'judged twice',
    name: 'no proof counts',
    file: 'bpf/request/proof.h',
    find: 'meeting.client_seq = context->rcv_nxt;',
    replace: 'meeting.client_seq = context->rcv_nxt + 1;',
    suite: atServer,
  },
  {
    class: 'error => pass',
    name: 'whoever is outside of the mesh is let in unjudged',
    file: server,
    find: 'if (!weft_server_judge(work, server))',
    replace: 'if (!weft_server_judge(work, server) && !server->cookie)',
    suite: atServer,
  },
  {
    class: 'message framing',
    name: 'the data of a chunk that arrives is taken for the next header',
    file: server,
    find: 'server->left = server->chunk.data;',
    replace: 'server->left = 0;',
    suite: atServer,
  },
  {
    class: 'message framing',
    name: 'a head behind a body is not looked for',
    file: server,
    find: 'server->left = head->content_length;',
    replace: 'server->left = head->content_length + 1;',
    suite: atServer,
  },
  {
    class: 'order of replies',
    name: 'a refusal overtakes the reply before it',
    file: serverRefuse,
    find: 'tcp && tcp->write_seq != server->written && tcp->snd_una == tcp->write_seq;',
    replace: 'tcp != 0;',
    suite: atServer,
  },
  {
    class: 'error => pass',
    name: 'what is refused out of turn is read by the server',
    file: serverRefuse,
    find: `	if (!weft_fill(skb, at, end, 0))
		return SK_DROP;
	if (end - at >= sizeof(line))
		bpf_skb_store_bytes(skb, at, line, sizeof(line), 0);
	return SK_PASS;`,
    replace: '	return end && !line[0] ? SK_PASS : SK_DROP;',
    suite: atServer,
  },
  {
    class: 'error => pass',
    name: 'behind a malformed chunk of a refused body the connection goes on',
    file: sink,
    find: 'if (end)\n\t\treturn weft_sink_last(message, http, end);',
    replace: 'return weft_sink_last(message, http, end ? end : message->size);',
    suite: atClient,
  },
  {
    class: 'stale bytes',
    name: 'held bytes go to the next destination',
    file: 'bpf/request/bind.h',
    find: 'if (http->flags & WEFT_HTTP_CORKED) {',
    replace: 'if (http->flags & WEFT_HTTP_CORKED && !on) {',
    suite: 'kernel/http-ways',
  },
];
