// The short circuit, and heads that are known: what is taken for granted on the fast ways.
const short = 'bpf/request/short.h';
const served = 'bpf/request/served.h';
const knownRequest = 'bpf/request/known-request.h';
const requests = 'kernel/http-short';
const pastTcp = 'kernel/http-short-replies';
const atClient = 'kernel/http-bound';

export const SHORT = [
  {
    class: 'order',
    name: 'who has not read what came by TCP is given more past it',
    file: short,
    find: 'BPF_CORE_READ(tcp, copied_seq) != sent ||',
    replace: 'BPF_CORE_READ(tcp, copied_seq) == sent + 1 ||',
    suite: requests,
  },
  {
    class: 'order',
    name: 'who kept up once is taken to have read what came by TCP since',
    file: short,
    find: 'peer->turns && peer->read_seq == sent &&',
    replace: 'peer->turns &&',
    suite: requests,
  },
  {
    class: 'unbounded memory',
    name: 'a receiver that does not read is given more without end',
    file: short,
    find: '>= WEFT_SHORT_QUEUE ||',
    replace: '< 0 ||',
    suite: pastTcp,
  },
  {
    class: 'unbounded memory',
    name: 'a receiver of small messages is never looked at again',
    file: short,
    find: 'peer->turns--;',
    replace: 'peer->turns = 1;',
    suite: pastTcp,
  },
  {
    class: 'what applications see',
    name: 'a reader that waits for more than a byte is told of less',
    file: short,
    find: 'sk_rcvlowat) > 1)',
    replace: 'sk_rcvlowat) > 1000000)',
    suite: pastTcp,
  },
  {
    class: 'what applications see',
    name: 'a sender that waits for a notice (MSG_ZEROCOPY) sends past TCP',
    file: short,
    find: '!(self->inet_conn.icsk_inet.sk.__sk_common.skc_flags >> zerocopy & 1);',
    replace: '1 + zerocopy;',
    suite: pastTcp,
  },
  {
    class: 'message framing',
    name: 'a reply that begins as one before is taken for whole',
    file: served,
    find: 'known->length != walk->size ||',
    replace: '!known->length ||',
    suite: pastTcp,
  },
  {
    class: 'message framing',
    name: 'a reply of the same length is taken for one before',
    file: served,
    find: 'return weft_is_same_head(&walk->served->window, &known->head);',
    replace: 'return 1;',
    suite: pastTcp,
  },
  {
    class: 'error => pass',
    name: 'a request of the same length is taken for one before',
    file: knownRequest,
    find: '!weft_is_same_head((struct weft_window *)work->request.bytes, &known->bytes)',
    replace: '!known->bytes.length',
    suite: atClient,
  },
  {
    class: 'message framing',
    name: 'a part of a head is compared with what was there before it',
    file: knownRequest,
    find: 'known->bytes.length > length ||',
    replace: '',
    suite: atClient,
  },
  {
    class: 'error => pass',
    name: 'of a path that was normalised its copy is kept as what was sent',
    file: knownRequest,
    find: 'work->request.head.flags & WEFT_HEAD_NORMALISED ||',
    replace: '',
    suite: atClient,
  },
];
