"""One end of scripted exchanges: a process with raw sockets that is told each step.

A line of JSON in, {"do": [command, ...], "deadline": seconds}, one line out, {"results": [...]}: the
commands in order up to the first that did not go as it should. A step that never comes ends at the
deadline, which is a failure and never a way to wait. Bytes are lists of parts: text of Latin-1, or
{"fill": length, "seed": number}, a pattern without a period that a copy of whole pages would hide.
Reads take exactly the bytes that a command wants, so whatever is too much shows in the next one.
"""
import errno, hashlib, json, os, select, socket, struct, sys, threading, time

PATTERN = 65521  # a prime
ASIDE = 32768  # what is longer is sent by a thread: the other end may have to read meanwhile
SHOWN = 2048
MPTCP, FASTOPEN_CONNECT = 262, 30
DEAD = {"EPIPE", "ECONNRESET", "ECONNABORTED", "EACCES"}
deadline = 3.0


def pattern(seed):
    return bytes((i * 131 + (i >> 8) + seed) & 255 for i in range(PATTERN))


patterns = {}


def expand(parts):
    out = []
    for part in parts:
        if isinstance(part, str):
            out.append(part.encode("latin-1"))
            continue
        seed, length = part.get("seed", 0), part["fill"]
        unit = patterns.setdefault(seed, None) or patterns.__setitem__(seed, pattern(seed)) or patterns[seed]
        out.append((unit * (length // PATTERN + 1))[:length])
    return out[0] if len(out) == 1 else b"".join(out)


def shown(data):
    return bytes(data[:SHOWN]).decode("latin-1")


def word(error):
    return "timeout" if isinstance(error, TimeoutError) else errno.errorcode.get(error.errno, str(error))


class End:
    """A connection: what it heard (as a hash), how it ended, and a thread where it sends a lot."""

    def __init__(self, sock):
        sock.settimeout(deadline)
        self.sock, self.early, self.ended = sock, b"", None
        self.heard, self.count = hashlib.sha256(), 0
        self.thread, self.failed, self.lenient = None, None, False

    def nodelay(self):
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self

    def read(self, count, piece):
        """At most `count` bytes; fewer where the connection ended or nothing came."""
        self.sock.settimeout(deadline)
        into = bytearray(count)
        have = min(len(self.early), count)
        into[:have] = self.early[:have]
        self.early = self.early[have:]
        view, end = memoryview(into), None
        while have < count and end is None:
            try:
                got = self.sock.recv_into(view[have : min(count, have + piece)])
                have += got
                if got == 0:
                    end = self.ended = "eof"
            except OSError as error:
                end = word(error)
                if end != "timeout":
                    self.ended = end
        view.release()
        del into[have:]
        self.heard.update(into)
        self.count += have
        return into, end

    def expect(self, want, piece):
        got, end = self.read(len(want), piece)
        if got == want:
            return {"ok": True}
        at = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b), min(len(got), len(want)))
        if end is None:
            got += self.read(SHOWN, SHOWN)[0] if select.select([self.sock], [], [], 0)[0] else b""
        return {"ok": False, "got": shown(got[at:]), "at": at, "length": len(got), "end": end}

    def end(self, wanted):
        got, end = self.read(1, 1)
        if not got and end in wanted:
            return {"ok": True, "end": end}
        if got and select.select([self.sock], [], [], 0)[0]:
            got += self.read(SHOWN, SHOWN)[0]
        return {"ok": False, "got": shown(got), "end": end}

    def attempt(self, segments):
        self.lenient = True
        return self.send(segments)

    def lacks(self, unwanted):
        got = b""
        while True:
            more, end = self.read(65536, 65536)
            got += more
            if end:
                return {"ok": unwanted not in got and end != "timeout", "got": shown(got), "end": end}

    def send(self, segments):
        failed = self.settle()
        if failed:
            return {"ok": False, "end": failed}
        if sum(map(len, segments)) > ASIDE:
            self.thread = threading.Thread(target=self.write, args=(segments,), daemon=True)
            self.thread.start()
            return {"ok": True}
        self.write(segments)
        return {"ok": self.failed is None, "end": self.failed}

    def write(self, segments):
        self.sock.settimeout(deadline)
        try:
            for segment in segments:
                self.sock.sendall(segment)
                if NOISE in ends and self is not ends[NOISE]:
                    ends[NOISE].sock.sendall(b"N")
        except OSError as error:
            if not self.lenient or word(error) not in DEAD:
                self.failed = word(error)

    def settle(self):
        """Waits for the thread that sends; what became of it."""
        if self.thread is not None:
            self.thread.join()
            self.thread = None
        return self.failed

    def dead(self):
        try:
            self.sock.sendall(b"GET /again HTTP/1.1\r\nhost: shop.prod\r\n\r\n")
        except OSError as error:
            return {"ok": word(error) in DEAD, "end": word(error)}
        got, end = self.read(1, 1)
        return {"ok": not got and end != "timeout", "got": shown(got), "end": end}

    def shut(self):
        failed = self.settle()
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError as error:
            # What may be refused may find the connection ended, both ways.
            if not self.lenient or error.errno != errno.ENOTCONN:
                failed = failed or word(error)
        return {"ok": failed is None, "end": failed}

    def close(self):
        failed = self.settle()
        self.sock.close()
        return {"ok": failed is None, "end": failed}

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()
        self.thread = None
        return {"ok": True}


# ---- the client: connections by label

# A connection of this label takes a byte after each piece that another one sends.
NOISE = "noise"
ends = {}


def make(kind, family):
    six = family == 6 or kind == "mapped"
    proto = MPTCP if kind == "mptcp" else 0
    return socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_STREAM, proto)


made = {}


def connect(c):
    label, kind, host, port = c["as"], c.get("kind", "tcp"), c["host"], c["port"]
    try:
        sock = made.pop(label, None) or make(kind, 6 if ":" in host else 4)
    except OSError as error:
        return {"ok": False, "end": word(error)}
    if "receive" in c:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, c["receive"])
    if kind == "fastopen":
        sock.setsockopt(socket.IPPROTO_TCP, FASTOPEN_CONNECT, 1)
    sock.settimeout(deadline)
    try:
        sock.connect(("::ffff:" + host if kind == "mapped" else host, port))
    except OSError as error:
        sock.close()
        return {"ok": False, "end": word(error)}
    ends[label] = End(sock).nodelay()
    address, port = sock.getsockname()[:2]
    return {"ok": True, "address": address.removeprefix("::ffff:"), "port": port, "peer": sock.getpeername()[:2]}


# ---- a server: listeners, connections that wait, the one that each client opened, the one in use

listeners, waiting, bound, current = [], [], {}, {}


def listen(c):
    for host in c["hosts"]:
        sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if ":" in host:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.IPPROTO_TCP, 23, 16)  # TCP_FASTOPEN
        sock.bind((host, c["port"]))
        sock.listen(1024)
        listeners.append(sock)
    return {"ok": True}


def accept(sock):
    one, peer = sock.accept()
    end = End(one).nodelay()
    end.peer = peer[:2]
    waiting.append(end)
    return end


def arrive(c):
    """
    The connection that the client opened: known by its address and port, which no mesh may change. The
    port alone is not enough: an agent's own connection of the other family may have the same one.
    """
    while True:
        for end in waiting:
            if end.peer == (c["address"], c["port"]):
                waiting.remove(end)
                bound[c["as"]] = current[c["as"]] = end
                return {"ok": True, "peer": end.peer}
        ready = select.select(listeners, [], [], deadline)[0]
        if not ready:
            return {"ok": False, "end": "timeout"}
        for sock in ready:
            accept(sock)


def begins(end, wanted):
    """Whether what came on a connection is the start of these bytes; None where nothing came but its end."""
    try:
        came = end.early or end.sock.recv(256, socket.MSG_PEEK)
    except OSError as error:
        end.ended = word(error)
        return None
    if not came:
        end.ended = "eof"
        return None
    return wanted.startswith(came) or came.startswith(wanted)


def request(c):
    """The start of a request, on whichever connection it comes: of several the one that fits."""
    label, wanted, late = c["as"], expand(c["bytes"]), time.monotonic() + deadline
    while True:
        mine = bound.get(label)
        known = ([mine] if mine else []) + waiting
        idle = [e for e in known if e.ended is None and e.sock.fileno() >= 0]
        left = max(0, late - time.monotonic())
        ready = select.select(listeners + [e.sock for e in idle if not e.early], [], [], left)[0]
        for sock in ready:
            if sock in listeners:
                accept(sock)
        others = []
        for end in idle:
            if not end.early and end.sock not in ready:
                continue
            fits = begins(end, wanted)
            if fits or (fits is False and left == 0):
                current[label] = end
                return {**end.expect(wanted, 1 << 20), "native": end is mine, "peer": end.peer}
            if fits is False:
                others.append(end)
            elif end is not mine:
                end.sock.close()
                waiting.remove(end)
        if left == 0:
            return {"ok": False, "end": "timeout", "got": ""}
        if others:  # they stay readable: the one that fits may yet come
            select.select(listeners, [], [], 0.002)


def stray(c):
    """Bytes that nobody expected, on connections that wait."""
    found = []
    waiting[:] = [end for end in waiting if end.sock.fileno() >= 0]
    for end in list(waiting):
        if end.early or select.select([end.sock], [], [], 0)[0]:
            try:
                got = end.early + end.sock.recv(SHOWN)
            except OSError:
                got = b""
            end.early = b""
            if got:
                found.append(shown(got))
            end.sock.close()
            waiting.remove(end)
    return {"ok": not found, "got": "".join(found), "end": None}


def forget(c):
    """Ends what a row left: its own connections, and of those that wait the ones it used."""
    for end in [*ends.values(), *bound.values(), *current.values()]:
        if c.get("reset") and end not in waiting:
            try:
                end.reset()
            except OSError:
                pass
        elif end not in waiting:
            end.sock.close()
    for table in (ends, bound, current):
        table.clear()
    return {"ok": True}


def drop(c):
    """Ends every connection, as a server that stops does."""
    for end in waiting:
        end.sock.close()
    waiting.clear()
    return forget(c)


def socket_early(c):
    made[c["as"]] = make(c.get("kind", "tcp"), c["family"])
    return {"ok": True}


def child(c):
    """Sends from a child that inherited the connection, and reads the answer in the parent."""
    pid = os.fork()
    if pid == 0:
        ends[c["as"]].sock.sendall(expand(c["bytes"]))
        os._exit(0)
    return {"ok": os.waitpid(pid, 0)[1] == 0}


def heard(c):
    end = ends[c["as"]]
    return {"ok": True, "count": end.count, "hash": end.heard.hexdigest(), "end": end.ended}


def at(c):
    tables = {"client": ends, "bound": bound, "current": current}
    return tables[c["on"]][c["as"]]


COMMANDS = {
    "listen": listen, "connect": connect, "arrive": arrive, "request": request, "stray": stray,
    "forget": forget, "drop": drop, "heard": heard, "socket": socket_early, "child": child,
    "expect": lambda c: at(c).expect(expand(c["bytes"]), c.get("piece", 1 << 20)),
    "end": lambda c: at(c).end(c["ends"]),
    "send": lambda c: at(c).send([expand(s) for s in c["segments"]]),
    "attempt": lambda c: at(c).attempt([expand(s) for s in c["segments"]]),
    "lacks": lambda c: at(c).lacks(expand(c["bytes"])),
    "shut": lambda c: at(c).shut(),
    "close": lambda c: at(c).close(),
    "reset": lambda c: at(c).reset(),
    "dead": lambda c: at(c).dead(),
}

for line in sys.stdin:
    asked = json.loads(line)
    deadline = asked["deadline"]
    results = []
    for command in asked["do"]:
        try:
            result = COMMANDS[command["op"]](command)
        except Exception as error:
            result = {"ok": False, "end": repr(error)}
        results.append(result)
        if not result["ok"]:
            break
    print(json.dumps({"results": results}), flush=True)
