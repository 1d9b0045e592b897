"""A Python server that says who it is, what it was asked, and what came as the body.
usage: serve.py NAME PORT HOST..."""
import hashlib, http.server, socket, sys, threading

name, port, *hosts = sys.argv[1:]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def body(self):
        if self.headers.get("transfer-encoding", "") != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        data = b""
        while True:
            size = int(self.rfile.readline().split(b";")[0], 16)
            data += self.rfile.read(size)
            if self.rfile.readline() == b"\r\n" and size == 0:
                return data

    def answer(self):
        data = self.body()
        said = f" {len(data)} {hashlib.sha1(data).hexdigest()}" if data else ""
        text = f"{name} {self.command} {self.path}{said}".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def __init__(self, host):
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, int(port)), Handler)


servers = [Server(host) for host in hosts]
threads = [threading.Thread(target=server.serve_forever) for server in servers]
for thread in threads:
    thread.start()
print("ready", flush=True)
