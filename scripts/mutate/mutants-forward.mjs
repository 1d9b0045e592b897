// The agent's slow path and the leases that it shares with the kernel.
const exchange = 'kernel/http-exchange';
const bodies = 'kernel/http-exchange-bodies';
const ends = 'kernel/http-exchange-ends';

export const FORWARD = [
  {
    class: 'order of replies',
    name: 'a request is sent on before the one before it is answered',
    file: 'runtime/forward/session.ts',
    find: 'if (!(await until(() => this.#turn() !== null, this.#isOver))) return false;',
    replace: '',
    suite: exchange,
  },
  {
    class: 'a wait without end',
    name: 'the next request waits until the client has read the reply',
    file: 'runtime/forward/client-stream.ts',
    find: 'const WAITING_LIMIT = 65536;',
    replace: 'const WAITING_LIMIT = 0;',
    suite: exchange,
  },
  {
    class: 'message framing',
    name: 'the body of an answered request is forgotten',
    file: 'bpf/request/lease.h',
    find: 'weft_lease_turn(lease, state, WEFT_LEASE_ANSWERED);',
    replace: 'weft_lease_turn(lease, state, WEFT_LEASE_FREE);',
    suite: bodies,
  },
  {
    class: 'a wait without end',
    name: 'a client that shuts its side in its request keeps the connection',
    file: 'runtime/forward/lease-keeper.ts',
    find: 'return probe === null || (probe.isShut && rest !== 0);',
    replace: 'return probe === null && rest >= 0;',
    suite: ends,
  },
  {
    class: 'a wait without end',
    name: "a reply that ends with its connection leaves the client's open",
    file: 'runtime/forward/reply-pump.ts',
    find: "return queue.failed ? 'cut' : 'ends';",
    replace: "return queue.failed ? 'cut' : 'whole, last';",
    suite: ends,
  },
  {
    class: 'somebody else',
    name: 'a socket is shut down by its inode alone',
    file: 'runtime/kernel/foreign-socket.ts',
    find: 'socketCookie(native, copy) === cookie && step(copy)',
    replace: 'cookie !== 0n && step(copy)',
    suite: 'kernel/door-socket',
  },
  {
    class: 'a wait without end',
    name: 'a door whose client sent an urgent byte is never empty',
    file: 'runtime/kernel/socket.ts',
    find: 'native.setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, yes, 4) < 0 ||',
    replace: '',
    suite: bodies,
  },
  {
    class: 'a wait without end',
    name: 'a fault of the agent leaves its client and its door',
    file: 'runtime/forward/session.ts',
    find: 'await this.#giveUp(error);',
    replace: 'void error;',
    suite: 'kernel/http-agent-fault',
  },
];
