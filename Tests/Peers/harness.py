"""What the scripts beside this one share: proxies as child processes, origins on threads, a list of checks."""
import base64
import contextlib
import hashlib
import http.server
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import traceback
import urllib.request

binary = os.environ.get("UPROXY", "uproxy")
failures = []


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def run(cases):
    """Runs each case over each driver it takes; prints a line for each, and ends with 1 if one failed."""
    only = sys.argv[1:]
    for case in cases:
        if only and case.__name__ not in only:
            continue
        for driver in getattr(case, "drivers", ["uring", "epoll"]):
            if driver == "uring" and not ring_offered():
                print(f"SKIP  {case.__name__} ({driver}): {ring_refusal}", flush=True)
                continue
            started = time.monotonic()
            try:
                note = case(driver)
                print(f"PASS  {case.__name__} ({driver}) {time.monotonic() - started:.1f} s {note or ''}", flush=True)
            except Skip as why:
                print(f"SKIP  {case.__name__} ({driver}): {why}", flush=True)
            except Exception:
                failures.append(case.__name__)
                print(f"FAIL  {case.__name__} ({driver})", flush=True)
                traceback.print_exc()
    sys.exit(1 if failures else 0)


class Skip(Exception):
    pass


def need(command):
    path = shutil.which(command) or shutil.which(command, path="/usr/sbin:/sbin")
    if not path:
        raise Skip(f"there is no {command}")
    return path


def certificate(directory, name, *options, key=("ec", "-pkeyopt", "ec_paramgen_curve:P-256")):
    """Makes NAME.pem and NAME.key there, for two days; whose they are, and by whom, is in options of `openssl req`."""
    made = subprocess.run(
        [need("openssl"), "req", "-x509", "-newkey", *key, "-nodes", "-days", "2", "-subj", f"/CN={name}",
         "-keyout", f"{directory}/{name}.key", "-out", f"{directory}/{name}.pem", *options], capture_output=True)
    check(made.returncode == 0, made.stderr.decode())


@contextlib.contextmanager
def nginx(directory, http, count=1):
    """Runs nginx with what `http` makes of so many free ports, which it gives."""
    # nginx takes no port 0; those that were free a moment ago will do.
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        ports = [probe.getsockname()[1] for probe in probes]
    os.chmod(directory, 0o755)
    with open(f"{directory}/nginx.conf", "w") as file:
        file.write(
            f"""daemon off; master_process off; worker_processes 1; pid {directory}/pid; error_log stderr;
            events {{ worker_connections 512; }}
            http {{ access_log off; client_body_temp_path {directory}/b; proxy_temp_path {directory}/p;
              fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s; {http(*ports)} }}""")
    server = subprocess.Popen(
        [need("nginx"), "-p", directory, "-c", f"{directory}/nginx.conf"], stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", ports[-1])).close()
                break
            except OSError:
                time.sleep(0.02)
        yield ports
    finally:
        server.terminate()
        server.wait()


ring_refusal = None


def ring_offered():
    """Whether this machine lets us have io_uring at all: asked of the binary, once."""
    global ring_refusal
    if ring_refusal is None:
        answer = subprocess.run([binary, "doctor", "--io", "uring"], capture_output=True, text=True)
        ring_refusal = "" if answer.returncode == 0 else "uproxy doctor --io uring says no"
    return ring_refusal == ""


class Proxy:
    """A uproxy process, started on ports of the kernel's choice."""

    def __init__(self, driver, *arguments, wrapper=(), preexec=None, expect_start=True, pass_fds=()):
        command = [*wrapper, binary, "--admin", "127.0.0.1:0", *arguments]
        if driver:
            command += ["--io", driver]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, preexec_fn=preexec, pass_fds=pass_fds)
        self.lines = []
        self.address = None
        if expect_start:
            self._read_start()

    def _read_start(self):
        while not any(" on io_uring " in line or " on epoll " in line for line in self.lines):
            line = self.process.stderr.readline().decode()
            check(line, f"the proxy ended: {self.lines}")
            self.lines.append(line.rstrip())
        text = "\n".join(self.lines)
        self.address = re.search(r"(?:reverse proxy|forward proxy|tcp) on ([\d.]+):(\d+)", text)
        check(self.address, text)
        self.address = (self.address[1], int(self.address[2]))
        threading.Thread(target=self._drain_lines, daemon=True).start()

    def _drain_lines(self):
        for line in self.process.stderr:
            self.lines.append(line.decode().rstrip())

    @property
    def text(self):
        return "\n".join(self.lines)

    def counter(self, name):
        """The value of a metric of the admin listener."""
        report = urllib.request.urlopen(f"http://{self.admin}/metrics").read().decode()
        return int(re.search(rf"^uproxy_{name} (\d+)$", report, re.MULTILINE)[1])

    @property
    def admin(self):
        """Where its admin listener is, which it says last when it starts."""
        for _ in range(200):
            admin = re.search(r"metrics and health on (\S+)", self.text)
            if admin:
                return admin[1]
            time.sleep(0.02)
        raise AssertionError(f"no admin listener: {self.text}")

    @property
    def url(self):
        return f"http://{self.address[0]}:{self.address[1]}"

    @property
    def pid(self):
        """Of uproxy itself, also behind a wrapper that has it for a child."""
        children = open(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read().split()
        return int(children[0]) if children else self.process.pid

    def connect(self, receive_buffer=None):
        client = socket.socket()
        if receive_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client.settimeout(30)
        client.connect(self.address)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    def rss(self, pid=None):
        """Anonymous memory that is resident: what the process itself uses."""
        for line in open(f"/proc/{pid or self.pid}/status"):
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024

    def stop(self):
        if self.process.poll() is None:
            os.kill(self.pid, signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise AssertionError("the drain did not end")
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            check(self.stop() == 0, f"exit status {self.process.returncode}: {self.text}")
        else:
            self.process.kill()
            self.process.wait()


class Origin:
    """An HTTP/1.1 origin: GET /bytes/N, POST /echo and /hash, anything else answers "ok"."""

    def __init__(self, handler=None, tls=None):
        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 1024
            daemon_threads = True

            def handle_error(self, *_):
                # The proxy may end a connection whenever it likes; what matters is checked at the client.
                pass

        self.server = Server(("127.0.0.1", 0), handler or Answer)
        self.server.connections = 0
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.address = f"127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        self.server.connections += 1
        super().setup()

    def log_message(self, *_):
        pass

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path.startswith("/bytes/"):
            size = int(self.path.split("/")[2])
            self.send_response(200)
            self.send_header("Content-Length", str(size))
            self.end_headers()
            for piece in pieces(size):
                self.wfile.write(piece)
            return
        self.answer(b"ok")

    def do_POST(self):
        digest = hashlib.sha256()
        for piece in self.body():
            digest.update(piece)
        self.answer(digest.hexdigest().encode())

    def body(self):
        length = self.headers.get("Content-Length")
        if length is not None:
            left = int(length)
            while left:
                piece = self.rfile.read(min(left, 1 << 18))
                check(piece, "the body ended early")
                left -= len(piece)
                yield piece
            return
        while True:
            size = int(self.rfile.readline().split(b";")[0], 16)
            if size == 0:
                self.rfile.readline()
                return
            yield self.rfile.read(size)
            self.rfile.readline()


block = os.urandom((1 << 20) - 3)


def pieces(size):
    """Bytes without a period that a window could hide; the same every time in one run."""
    sent = 0
    while sent < size:
        piece = block[: min(len(block), size - sent)]
        yield piece
        sent += len(piece)


def receive_head(client):
    data = b""
    while b"\r\n\r\n" not in data:
        more = client.recv(65536)
        check(more, f"the stream ended in a head: {data!r}")
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    return head.decode("latin1"), rest


def exchange(client, request=b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"):
    client.sendall(request)
    head, body = receive_head(client)
    length = int(re.search(r"(?i)content-length: (\d+)", head)[1])
    while len(body) < length:
        more = client.recv(65536)
        check(more, "the stream ended in a body")
        body += more
    return head, body


class WebSocket:
    """Either end of RFC 6455, as far as this needs it."""

    def __init__(self, connection, rest, masks):
        self.connection, self.buffer, self.masks = connection, rest, masks

    def read(self, size):
        while len(self.buffer) < size:
            more = self.connection.recv(65536)
            check(more, "the socket ended")
            self.buffer += more
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def send(self, opcode, data):
        size = len(data)
        form = size if size < 126 else 126 if size < 65536 else 127
        head = bytes([0x80 | opcode, form | (0x80 if self.masks else 0)])
        head += b"" if form < 126 else struct.pack(">H" if form == 126 else ">Q", size)
        if self.masks:
            mask = os.urandom(4)
            head += mask
            data = self.mask(data, mask)
        self.connection.sendall(head + data)

    @staticmethod
    def mask(data, mask):
        stream = (mask * (len(data) // 4 + 1))[: len(data)]
        return (int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(data), "big")

    def receive(self):
        first, second = self.read(2)
        size = second & 127
        if size > 125:
            size = struct.unpack(">H" if size == 126 else ">Q", self.read(2 if size == 126 else 8))[0]
        mask = self.read(4) if second & 128 else None
        data = self.read(size)
        return first & 15, self.mask(data, mask) if mask else data


def accept_key(key):
    return base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
