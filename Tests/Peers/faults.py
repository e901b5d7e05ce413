"""Each fault raises the counters that README.md documents for it, and no others."""
import contextlib
import os
import re
import socket
import struct
import tempfile
import threading
import time
import urllib.request

from admin import admin_of, ask
from harness import Proxy, certificate, check, run
from logs import Stub, answer, request_of

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "README.md")
# What traffic raises as well, be there a fault or none.
TRAFFIC = re.compile(
    r"requests_total|responses_\dxx_total|local_responses_total|.*_bytes_total(\{.*)?|downstream_connections_(accepted|closed)_total"
    r"|upstream_connections_(opened|closed|reused)_total|exchanges_(started|finished)_total|turns_total|completions_total"
    r"|.*requests_by_status_total.*|stage_seconds_total.*|.*_(sum|count|bucket)\b.*|process_.*|names_asked_total|resolver_.*"
    r"|tunnels_(opened|closed)_total|short_sends_total|spin.*|.*flight_recorder.*|splice.*|worker_stalls.*|worker_long.*"
    r"|tls_handshakes_total|upstream_tls_handshakes_total|http2_(connections|streams)_total|slices_exhausted_total|receives_starved_total"
    r"|trace.*|access_log_.*")
GET = b"GET /%s HTTP/1.1\r\nHost: h\r\n\r\n"


def documented():
    """The table of README.md: of each fault its counters."""
    text = open(README).read().split("| fault | raises |\n", 1)[1].split("\n\n", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[1:]]
    return {fault: set(re.findall(r"`([^`]+)`", counters)) for fault, counters in rows}


def counted(proxy):
    """All counters, with their labels."""
    text = urllib.request.urlopen(f"http://{admin_of(proxy)}/metrics").read().decode()
    found = {}
    for line in text.splitlines():
        if line.startswith("#") or "_total" not in line:
            continue
        name, value = line.rsplit(" ", 1)
        name = name.removeprefix("uproxy_").replace('"', "")
        if not TRAFFIC.fullmatch(name):
            found[name] = float(value)
    return found


class Bench:
    """A proxy in front of endpoints that misbehave as their name says."""

    def __init__(self, driver, stack):
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        certificate(folder, "proxy"), certificate(folder, "endpoint")
        self.hanging = threading.Event()

        def closes(connection):
            request_of(connection)

        def resets(connection):
            request_of(connection)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        def talks_nonsense(connection):
            request_of(connection)
            connection.sendall(b"nonsense\r\n\r\n")

        def speaks_no_tls(connection):
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

        def cuts(connection):
            request_of(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")

        def hangs(connection):
            while request_of(connection):
                self.hanging.wait(20)
                answer(connection)

        def works(connection):
            while request_of(connection):
                answer(connection)

        stubs = {name: stack.enter_context(Stub(serve)) for name, serve in {
            "closes": closes, "resets": resets, "nonsense": talks_nonsense, "cuts": cuts, "hangs": hangs,
            "works": works, "plain": speaks_no_tls}.items()}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            refused = "127.0.0.1:%d" % probe.getsockname()[1]
        # Its backlog is full: further SYNs get no answer.
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        self.fillers = []
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
            self.fillers.append(filler)
        clusters = {name: stub.address for name, stub in stubs.items()}
        clusters |= {"refuses": refused, "silent": "127.0.0.1:%d" % full.getsockname()[1], "nowhere": "nowhere.invalid:80"}
        common = "retries: {attempts: 1}, outliers: {consecutive: 0}"
        lines = [f'  {name}: {{endpoints: ["{endpoint}"], {common}}}' for name, endpoint in clusters.items()]
        lines.append(f'  crowded: {{endpoints: ["{clusters["hangs"]}"], {common}, limits: {{requests: 1, queue: 0}}}}')
        lines.append(f'  secure: {{endpoints: ["{clusters["plain"]}"], {common}, tls: {{verify: off}}}}')
        names = [*clusters, "crowded", "secure"]
        routes = [f"    - {{match: {{path: /{name}}}, cluster: {name}, timeouts: {{upstream: 300ms}}}}" for name in names]
        routes += ["    - {match: {path: /private}, cluster: works, deny: [127.0.0.1]}",
                   "    - {match: {path: /limited}, cluster: works, rate_limit: rare}",
                   "    - {match: {path: /small}, cluster: works, limits: {body: 10}}"]
        open(f"{folder}/uproxy.yaml", "w").write("\n".join([
            "listeners:", '  - {address: "127.0.0.1:0", routes: site}',
            f'  - {{address: "127.0.0.1:0", cluster: works, tls: {{certificates: [{{cert: {folder}/proxy.pem, key: {folder}/proxy.key}}]}}}}',
            '  - {address: "127.0.0.1:0", role: forward}',
            "routes:", "  site:", *routes, "clusters:", *lines,
            "rate_limits:", "  rare: {rate: 1/h, burst: 1, key: address}",
            "timeouts: {connect: 300ms, head: 300ms, body_idle: 300ms}"]) + "\n")
        self.path = f"{folder}/uproxy.yaml"
        self.proxy = stack.enter_context(Proxy(driver, "--config", self.path, "--threads", "1"))
        lines = "\n".join(self.proxy.lines)
        ports = re.findall(r"(?:reverse proxy|forward proxy) on 127\.0\.0\.1:(\d+)", lines)
        self.ports = dict(zip(["http", "tls", "forward"], map(int, ports)))

    def client(self, port="http"):
        client = socket.create_connection(("127.0.0.1", self.ports[port]))
        client.settimeout(20)
        return client

    def get(self, path, port="http"):
        return self.send(GET % path.encode(), port)

    def send(self, request, port="http"):
        """What comes of it, up to the end."""
        with self.client(port) as client:
            client.sendall(request)
            data = b""
            with contextlib.suppress(ConnectionError, socket.timeout):
                while b"\r\n\r\n" not in data and (more := client.recv(65536)):
                    data += more
            return data

    def abort(self):
        with self.client() as client:
            client.sendall(GET % b"hangs")
            deadline = time.monotonic() + 5
            while not ask(self.proxy, "/api/v1/exchanges")[1]["exchanges"]:
                check(time.monotonic() < deadline, "the request is under way")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def crowd(self):
        with self.client() as first:
            first.sendall(GET % b"crowded")
            deadline = time.monotonic() + 5
            while not ask(self.proxy, "/api/v1/exchanges")[1]["exchanges"]:
                check(time.monotonic() < deadline, "the request is under way")
            check(b" 503 " in self.get("crowded"), "there is no room for a second one")
            self.hanging.set()
            first.recv(1000)
            self.hanging.clear()

    def bad_reload(self):
        text = open(self.path).read()
        open(self.path, "w").write(text + "nonsense: 1\n")
        check(ask(self.proxy, "/reload", "POST")[0] == 409, "the reload is refused")
        open(self.path, "w").write(text)

    def limited(self):
        with contextlib.suppress(ConnectionError):
            self.get("limited"), self.get("limited")

    def faults(self):
        return {
            "an endpoint refuses the connection": lambda: self.get("refuses"),
            "an endpoint does not take the connection": lambda: self.get("silent"),
            "an endpoint's name does not exist": lambda: self.get("nowhere"),
            "an endpoint closes the connection instead of answering": lambda: self.get("closes"),
            "an endpoint resets the connection": lambda: self.get("resets"),
            "an endpoint answers with what is no HTTP": lambda: self.get("nonsense"),
            "an endpoint ends in the middle of its answer": lambda: self.get("cuts"),
            "an endpoint does not answer in time": lambda: self.get("hangs"),
            "an endpoint does not speak TLS": lambda: self.get("secure"),
            "a cluster has as many requests as it may": self.crowd,
            "a client sends a malformed request": lambda: self.send(b"GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n"),
            "a client sends a head too slowly": lambda: self.send(b"GET / HTTP/1.1\r\nHo"),
            "a client sends a body too slowly": lambda: self.send(
                b"POST /hangs HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12"),
            "a client goes away before the answer": self.abort,
            "a client sends too large a body": lambda: self.send(
                b"POST /small HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n"),
            "a client is not let in": lambda: self.get("private"),
            "a client exceeds its rate": self.limited,
            "a client asks for what no route has": lambda: self.get("none"),
            "a client does not speak TLS": lambda: self.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", "tls"),
            "a client of the forward proxy asks for an address that is denied": lambda: self.send(
                b"GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n", "forward"),
            "a configuration cannot work": self.bad_reload,
        }


def exact(driver):
    """Every fault of the table, alone."""
    table = documented()
    with contextlib.ExitStack() as stack:
        bench = Bench(driver, stack)
        faults = bench.faults()
        check(set(faults) == set(table), f"tested or documented alone: {set(faults) ^ set(table)}")
        wrong = []
        for fault, inject in faults.items():
            before = counted(bench.proxy)
            inject()
            expected, deadline = table[fault], time.monotonic() + 5
            while True:
                after = counted(bench.proxy)
                raised = {name for name, value in after.items() if value > before.get(name, 0)}
                if raised >= expected or time.monotonic() > deadline:
                    break
                time.sleep(0.02)
            grown = {name: after[name] - before.get(name, 0) for name in raised}
            if grown != {name: 1 for name in expected}:
                wrong.append(f"{fault}: {grown} instead of {sorted(expected)}")
        check(not wrong, "\n".join(wrong))
        bench.hanging.set()
        return f"{len(faults)} faults"


if __name__ == "__main__":
    run([exact])
