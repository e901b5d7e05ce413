"""Traces as their users see them: what is passed on, what a collector gets, and what happens when it does not take it."""
import contextlib
import http.server
import json
import math
import re
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import urllib.request

from harness import Origin, Answer, Proxy, Skip, check, exchange, need, receive_head, run
from logs import Stub, answer, records, request_of

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


# What of Protocol Buffers there is to be read.


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def message(data):
    """The fields of a message: a list of values by each number."""
    fields, at = {}, 0
    while at < len(data):
        tag, at = varint(data, at)
        kind = tag & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 1:
            value, at = data[at:at + 8], at + 8
        elif kind == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
            check(len(value) == size, "a field is cut short")
        elif kind == 5:
            value, at = data[at:at + 4], at + 4
        else:
            raise AssertionError(f"wire type {kind}")
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def any_value(data):
    (number, (value,)), = message(data).items()
    if number == 1:
        return value.decode()
    if number == 2:
        return bool(value)
    if number == 3:
        return value
    check(number == 4, f"a value of kind {number}")
    return struct.unpack("<d", value)[0]


def attributes(pairs):
    told = {}
    for pair in pairs:
        fields = message(pair)
        key = fields[1][0].decode()
        check(key not in told, f"{key} twice")
        told[key] = any_value(fields[2][0])
    return told


class Span:
    def __init__(self, data, resource):
        fields = message(data)
        self.resource = resource
        self.trace = fields[1][0].hex()
        self.id = fields[2][0].hex()
        self.state = fields.get(3, [b""])[0].decode()
        self.parent = fields.get(4, [b""])[0].hex()
        self.name = fields[5][0].decode()
        self.kind = {2: "server", 3: "client"}[fields[6][0]]
        self.start, self.end = (struct.unpack("<Q", fields[number][0])[0] for number in (7, 8))
        self.attributes = attributes(fields.get(9, []))
        self.error = message(fields[15][0]).get(3, [0])[0] == 2 if 15 in fields else False
        self.flags = struct.unpack("<I", fields[16][0])[0]
        check(len(self.trace) == 32 and len(self.id) == 16 and len(self.parent) in (0, 16), f"{self}")
        check(0 < self.start <= self.end, f"{self}")

    def __repr__(self):
        return f"{self.kind} {self.name} {self.trace} {self.parent or '-'} > {self.id} {self.attributes} {self.error}"

    def __getitem__(self, key):
        return self.attributes.get(key)


def spans_of(body):
    """Those of an ExportTraceServiceRequest."""
    spans = []
    for resource_spans in message(body)[1]:
        fields = message(resource_spans)
        resource = attributes(message(fields[1][0])[1])
        for scope_spans in fields[2]:
            scope = message(scope_spans)
            check(message(scope[1][0])[1] == [b"uproxy"], "the scope")
            spans += [Span(data, resource) for data in scope[2]]
    return spans


class Collector:
    """Takes spans, or answers otherwise: `reply(body)` returns a status, fields and a body; nil is a 200."""

    def __init__(self, reply=None, port=0):
        self.spans, self.requests, self.reply = [], [], reply
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                status, fields, content = collector.reply(body) if collector.reply else (200, {}, b"")
                if status == 200:
                    collector.spans += spans_of(body)
                self.send_response(status)
                for name, value in fields.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            connections = 0

            def process_request(self, *arguments):
                self.connections += 1
                super().process_request(*arguments)

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.endpoint = f"http://127.0.0.1:{self.port}/v1/traces"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, count, seconds=10):
        deadline = time.monotonic() + seconds
        while len(self.spans) < count:
            check(time.monotonic() < deadline, f"{len(self.spans)} of {count} spans")
            time.sleep(0.005)
        return self.spans

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


@contextlib.contextmanager
def traced(driver, clusters, tracing, rest="", listeners=None, arguments=("--threads", "1")):
    """A proxy with a log; the path of its file, and a call that changes it."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/access.log"

        def write(tracing):
            open(f"{folder}/uproxy.yaml", "w").write(
                f"""listeners: {listeners or '[{address: "127.0.0.1:0"}]'}
{clusters}
access_log: {{to: "{path}", format: json}}
{tracing}
{rest}
""")

        write(tracing)
        with Proxy(driver, "--config", f"{folder}/uproxy.yaml", *arguments) as proxy:
            proxy.write = write
            yield proxy, path


def counted(proxy, name):
    """The values of a metric by its one label."""
    admin = re.search(r"metrics and health on (\S+)", proxy.text)
    report = urllib.request.urlopen(f"http://{admin[1]}/metrics").read().decode()
    return {label: int(value) for label, value in re.findall(rf'^uproxy_{name}{{\w+="(\w+)"}} (\d+)$', report, re.M)}


def settled(proxy, count, seconds=20):
    """What became of spans, once so many have come to an end."""
    deadline = time.monotonic() + seconds
    while True:
        results = counted(proxy, "trace_spans_total")
        if sum(results.values()) == count:
            return results
        check(time.monotonic() < deadline, f"{results}, not {count}")
        time.sleep(0.02)


class Heard(Answer):
    """An origin that keeps what it was told."""

    heads = []

    def do_GET(self):
        Heard.heads.append(self.headers)
        body = b"ok"
        self.send_response(int(self.path.split("/")[2]) if self.path.startswith("/status/") else 200)
        self.send_header("Content-Length", str(len(body)))
        if self.path == "/timed":
            self.send_header("Server-Timing", "db;dur=53")
        self.end_headers()
        self.wfile.write(body)


def heard():
    Heard.heads = []
    return Origin(Heard)


def told(index=-1):
    """What an origin was told of the trace: its id, the parent's and the flags."""
    fields = Heard.heads[index].get_all("traceparent") or []
    check(len(fields) == 1, f"traceparent: {fields}")
    found = re.fullmatch("00-([0-9a-f]{32})-([0-9a-f]{16})-(0[0-3])", fields[0])
    check(found, fields[0])
    return found.groups()


def get(path="/", *fields):
    lines = "".join(f"{field}\r\n" for field in fields)
    return f"GET {path} HTTP/1.1\r\nHost: h.test:81\r\n{lines}\r\n".encode()


def tracing(collector, rest="", otlp="interval: 50ms"):
    return f'tracing: {{{rest + ", " if rest else ""}otlp: {{endpoint: "{collector.endpoint}", {otlp}}}}}'


def joined(driver):
    """Ids join what the client sends, what the origin gets, the log and the spans."""
    with heard() as origin, Collector() as collector, traced(
            driver, f'clusters: {{c: {{endpoints: "{origin.address}"}}}}',
            tracing(collector, "service: edge, attributes: {deployment.environment.name: test}",
                    "interval: 50ms, headers: {authorization: 'Bearer x'}"),
            rest='routes: {site: [{match: {path: /*}, cluster: c, name: all}]}',
            listeners='[{address: "127.0.0.1:0", routes: site}]') as (proxy, log):
        client = proxy.connect()
        exchange(client, get("/a?token=secret", f"traceparent: 00-{TRACE}-{PARENT}-01", "tracestate: x=1,y=2",
                             "User-Agent: test/1"))
        trace, parent, flags = told()
        check(trace == TRACE and flags == "01" and parent not in (PARENT, "0" * 16), f"{told()}")
        check(Heard.heads[-1].get_all("tracestate") == ["x=1,y=2"], "tracestate goes on")
        server, sent = sorted(collector.wait(2), key=lambda span: span.kind, reverse=True)
        check(server.kind == "server" and sent.kind == "client", f"{collector.spans}")
        check(server.trace == sent.trace == TRACE, f"{server}")
        check(server.parent == PARENT and sent.parent == server.id and parent == sent.id, f"{server} {sent} {parent}")
        check(server.state == "x=1,y=2" and server.flags == 0x301 and sent.flags == 0x101, f"{server.state} {server.flags}")
        record = records(log, 1)[0]
        check(record["trace_id"] == TRACE and record["span_id"] == server.id, f"{record}")
        check(server.name == "GET all" and sent.name == "GET", f"{server}")
        wanted = {
            "http.request.method": "GET", "url.path": "/a", "url.scheme": "http", "server.address": "h.test",
            "server.port": 81, "http.response.status_code": 200, "client.address": "127.0.0.1",
            "network.protocol.version": "1.1", "user_agent.original": "test/1", "uproxy.route": "all",
            "uproxy.cluster": "c", "uproxy.id": record["id"], "http.response.body.size": 2,
        }
        for key, value in wanted.items():
            check(server[key] == value, f"{key} is {server[key]}: {server}")
        check("secret" not in repr(server) + repr(sent), "the query stays here")
        check(abs(server["uproxy.added_ms"] - record["added_ms"]) < 0.001, f"{server} {record}")
        check(abs((server.end - server.start) / 1e6 - record["duration_ms"]) < 0.001, f"{server} {record}")
        check(server.start <= sent.start <= sent.end <= server.end, f"{server} {sent}")
        check(abs(server.start / 1e9 - time.time()) < 10, f"{server.start}")
        host, port = origin.address.split(":")
        for key, value in {"server.address": host, "server.port": int(port), "network.peer.address": host,
                           "network.peer.port": int(port), "http.response.status_code": 200,
                           "url.full": f"http://{origin.address}/a", "uproxy.connection.reused": False}.items():
            check(sent[key] == value, f"{key} is {sent[key]}: {sent}")
        check(not server.error and not sent.error and sent["http.request.resend_count"] is None, f"{server} {sent}")
        resource = server.resource
        check(resource["service.name"] == "edge" and resource["deployment.environment.name"] == "test"
              and resource["service.version"] and re.fullmatch("[0-9a-f-]{36}", resource["service.instance.id"]), f"{resource}")
        path, fields = collector.requests[0]
        check(path == "/v1/traces" and fields["content-type"] == "application/x-protobuf"
              and fields["authorization"] == "Bearer x", f"{path} {fields}")
        # What is not valid begins another trace, and its state goes no further.
        for bad in ["", f"00-{TRACE.upper()}-{PARENT}-01", f"ff-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-01-x",
                    f"00-{'0' * 32}-{PARENT}-01", f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE}-{PARENT}-1"]:
            exchange(client, get("/", f"traceparent: {bad}", "tracestate: x=1"))
            check(told()[0] != TRACE and told()[2] == "03", f"{bad!r} becomes {told()}")
            check(Heard.heads[-1]["tracestate"] is None, f"{bad!r}")
        exchange(client, get("/", *[f"Traceparent: 00-{TRACE}-{PARENT}-01"] * 2))
        check(told()[0] != TRACE, "of two none is believed")
        exchange(client, get("/", f"traceparent: 01-{TRACE}-{PARENT}-01-more"))
        check(told()[0] == TRACE, "a later version is read as far as it is known")
        exchange(client, get("/", f"traceparent: 00-{TRACE}-{PARENT}-00"))
        check(told()[::2] == (TRACE, "00"), "what is not sampled stays so")
        exchange(client, get("/"))
        spans = collector.wait(22)
        time.sleep(0.2)
        check(len(spans) == 22, f"{len(spans)} spans")
        check(len({span.trace for span in spans}) == 10 and len({span.id for span in spans}) == 22, "each its own")
        logged = records(log, 12)
        check({record["trace_id"] for record in logged} >= {span.trace for span in spans}, "all are in the log")
        check(collector.server.connections == 1, f"{collector.server.connections} connections")
        check(counted(proxy, "trace_spans_total") == {"exported": 22, "rejected": 0, "failed": 0, "dropped": 0}, "counts")
        check((proxy.counter("traces_begun_total"), proxy.counter("traces_continued_total"),
               proxy.counter("traces_sampled_total")) == (9, 3, 11), "counts of traces")


def chained(driver):
    """Two proxies with HTTP/2 between them: each one's spans are children of the other's; clients of both versions."""
    curl = need("curl")
    with heard() as origin, Collector() as collector, traced(
            driver, f'clusters: {{c: {{endpoints: "{origin.address}"}}}}', tracing(collector, "service: inner")
    ) as (inner, _), traced(
            driver, 'clusters: {c: {endpoints: "%s:%d", http2: on}}' % inner.address, tracing(collector, "service: outer")
    ) as (outer, log):
        for option in ["--http1.1", "--http2-prior-knowledge"]:
            collector.spans.clear()
            answered = subprocess.run(
                [curl, "-sS", option, "-H", f"traceparent: 00-{TRACE}-{PARENT}-01", f"{outer.url}/x"], capture_output=True)
            if b"not" in answered.stderr and b"support" in answered.stderr:
                raise Skip(answered.stderr.decode())
            check(answered.stdout == b"ok", f"{answered}")
            spans = {(span.resource["service.name"], span.kind): span for span in collector.wait(4)}
            check(len(spans) == 4 and {span.trace for span in spans.values()} == {TRACE}, f"{spans}")
            path = [PARENT]
            for place in [("outer", "server"), ("outer", "client"), ("inner", "server"), ("inner", "client")]:
                check(spans[place].parent == path[-1], f"{place}: {spans}")
                path.append(spans[place].id)
            check(told()[1] == path[-1], f"{told()} {path}")
            version = "2" if "2" in option else "1.1"
            check(spans["outer", "server"]["network.protocol.version"] == version, f"{spans}")
            check(spans["inner", "server"]["network.protocol.version"] == "2", f"{spans}")


def sampled(driver):
    """One in ten, by the trace's id; parents decide where they are asked."""
    count, sample = 4000, 10
    with heard() as origin, Collector() as collector, traced(
            driver, f'clusters: {{c: {{endpoints: "{origin.address}"}}}}',
            tracing(collector, f"sample: {sample}")) as (proxy, log):
        client = proxy.connect()

        def ask(number, *fields):
            for _ in range(number // 50):
                client.sendall(get("/", *fields) * 50)
                data = b""
                while data.count(b"\r\n\r\nok") < 50:
                    data += client.recv(1 << 16)

        ask(count)
        chosen = [head for head in Heard.heads if head["traceparent"].endswith("-03")]
        spread = 3 * math.sqrt(count / sample * (1 - 1 / sample))
        check(abs(len(chosen) - count / sample) < spread, f"{len(chosen)} of {count}")
        collector.wait(2 * len(chosen))
        traces = {span.trace for span in collector.spans}
        check(traces == {head["traceparent"][3:35] for head in chosen}, "those that say so are exported")
        for trace in (head["traceparent"][3:35] for head in Heard.heads):
            check((int(trace[18:], 16) >= (1 << 56) - (1 << 56) // sample) == (trace in traces), f"{trace}: by its id")
        for way, fields, share in [
                ("honour", [f"traceparent: 00-{TRACE}-{PARENT}-01"], 1), ("honour", [f"traceparent: 00-{TRACE}-{PARENT}-00"], 0),
                ("ignore", [f"traceparent: 00-{TRACE}-{PARENT}-01", "tracestate: a=b"], 1 / sample),
                ("resample", [f"traceparent: 00-{'f' * 32}-{PARENT}-00"], 1),
                ("resample", [f"traceparent: 00-{TRACE}-{PARENT}-01"], 0)]:
            proxy.write(tracing(collector, f"sample: {sample}, parent: {way}"))
            proxy.process.send_signal(signal.SIGHUP)
            lines = proxy.lines
            deadline = time.monotonic() + 10
            proxy.reloads = getattr(proxy, "reloads", 0) + 1
            while proxy.counter("reloads_total") < proxy.reloads:
                check(time.monotonic() < deadline, f"{lines}")
                time.sleep(0.01)
            Heard.heads.clear()
            ask(1000, *fields)
            part = sum(int(head["traceparent"][-1]) & 1 for head in Heard.heads) / 1000
            spread = 3 * math.sqrt(share * (1 - share) / 1000)
            check(abs(part - share) <= spread, f"{way} {fields}: {part}")
            goes_on = fields[0][16:48] == Heard.heads[0]["traceparent"][3:35]
            check(goes_on == (way != "ignore"), f"{way}: {Heard.heads[0]}")
            check(way != "ignore" or Heard.heads[0]["tracestate"] is None, "the state of a trace that ends")
        return f"{len(chosen)} of {count}"


def failing(driver):
    """What spans tell of failures and of requests that were sent again."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        refusing = "127.0.0.1:%d" % nobody.getsockname()[1]
        with heard() as origin, Collector() as collector, traced(
                driver, f"""clusters:
  c: {{endpoints: "{origin.address}", retries: {{"on": [5xx], attempts: 3, budget: 100%}}}}
  r: {{endpoints: "{refusing}"}}""", tracing(collector),
                rest="""routes:
  site:
    - {match: {path: /refused}, cluster: r}
    - {match: {path: /own}, respond: {status: 403, body: no}}
    - {match: {path: /*}, cluster: c}""",
                listeners='[{address: "127.0.0.1:0", routes: site}]') as (proxy, log):
            client = proxy.connect()

            def spans(request, count):
                collector.spans.clear()
                exchange(client, request)
                return sorted(collector.wait(count), key=lambda span: span.kind, reverse=True)

            server, sent = spans(get("/status/503"), 2)
            check(server.error and server["error.type"] == "503", f"{server}")
            check(sent.error and sent["error.type"] == "503" and sent["http.request.resend_count"] == 2, f"{sent}")
            check(len({head["traceparent"] for head in Heard.heads}) == 1 and len(Heard.heads) == 3, "the same is sent again")
            server, sent = spans(get("/status/404"), 2)
            check(not server.error and server["http.response.status_code"] == 404 and sent.error, f"{server} {sent}")
            server, sent = spans(get("/refused"), 2)
            check(server.error and server["http.response.status_code"] == 502 and server["error.type"] == "connect_refused",
                  f"{server}")
            check(sent.error and sent["http.response.status_code"] is None, f"{sent}")
            server, = spans(get("/own"), 1)
            check(not server.error and server["http.response.status_code"] == 403 and server["uproxy.route"] == "site[1]",
                  f"{server}")
            server, sent = spans(b"BREW /x HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", 2)
            check(server.name == "HTTP site[2]" and server["http.request.method"] == "_OTHER"
                  and server["http.request.method_original"] == "BREW", f"{server}")


def lost(driver):
    """A collector that is not there, and one that does not want spans: traffic goes on, and each span is counted once."""
    count = 1000

    def ask(client, number):
        slowest = 0
        for _ in range(number):
            started = time.monotonic()
            exchange(client, get())
            slowest = max(slowest, time.monotonic() - started)
        return slowest

    with Origin() as origin:
        clusters = f'clusters: {{c: {{endpoints: "{origin.address}"}}}}'
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            port = nobody.getsockname()[1]
            otlp = 'tracing: {otlp: {endpoint: "http://127.0.0.1:%d/v1/traces", interval: 20ms, queue: 600, batch: 100}}' % port
            with traced(driver, clusters, otlp) as (proxy, _):
                client = proxy.connect()
                slowest = ask(client, count)
                check(slowest < 0.5, f"a request took {slowest}")
                deadline = time.monotonic() + 10
                while counted(proxy, "trace_spans_total")["dropped"] < 2 * count - 600:
                    check(time.monotonic() < deadline, f"{counted(proxy, 'trace_spans_total')}")
                    time.sleep(0.01)
                check(proxy.counter("trace_spans_waiting") == 600, "as many wait as may")
                check(counted(proxy, "trace_spans_total") == {
                    "exported": 0, "rejected": 0, "failed": 0, "dropped": 2 * count - 600}, "all others are dropped")
                check(proxy.text.count("refused the connection") == 1, "the operator is told once")
                # There it is.
                nobody.close()
                with Collector(port=port) as collector:
                    ask(client, 10)
                    results = settled(proxy, 2 * count + 20)
                    check(results["exported"] == len(collector.spans) > 0 and results["failed"] == 0, f"{results}")
                    check("spans are taken again" in proxy.text, proxy.text)
        # Ends with what waits, of a collector that never answers.
        with Stub(lambda connection: connection.recv(1) and time.sleep(30)) as silent:
            otlp = f'tracing: {{otlp: {{endpoint: "http://{silent.address}", interval: 20ms}}}}'
            with traced(driver, clusters, otlp) as (proxy, _):
                ask(proxy.connect(), 5)
                time.sleep(0.2)
                started = time.monotonic()
                proxy.stop()
                check(time.monotonic() - started < 6, f"it took {time.monotonic() - started} s to end")
        statuses = iter([503, 400])

        def reply(_):
            status = next(statuses, 200)
            partial = bytes([0x0A, 2, 0x08, 1])
            return status, {"Retry-After": "0"} if status == 503 else {}, partial if status == 200 else b""

        with Collector(reply) as collector, traced(driver, clusters, tracing(collector)) as (proxy, _):
            client = proxy.connect()
            ask(client, 1)
            check(settled(proxy, 2) == {"exported": 0, "rejected": 2, "failed": 0, "dropped": 0}, "503 is tried again, 400 is not")
            ask(client, 1)
            check(settled(proxy, 4) == {"exported": 1, "rejected": 3, "failed": 0, "dropped": 0}, "one is not wanted")
            check("has not taken 1 spans" in proxy.text and "refuses spans with 400" in proxy.text, proxy.text)
            check(proxy.counter("trace_export_requests_total") == 3 and proxy.counter("trace_export_failures_total") == 2, "")
        # What was published is sent at the end.
        with Collector() as collector, traced(driver, clusters, tracing(collector, otlp="interval: 1h")) as (proxy, _):
            ask(proxy.connect(), 7)
            proxy.stop()
            check(len(collector.spans) == 14, f"{len(collector.spans)} at the end")
        return f"the slowest of {count} took {slowest * 1000:.1f} ms"


def timed(driver):
    """Server-Timing: added behind that of the endpoint, to own answers as well, and where a route says so alone."""

    def timings(head):
        found = re.findall(r"(?mi)^server-timing: ([^\r\n]*)", head)
        return found, dict(re.findall(r"([\w-]+);dur=([\d.]+)", found[-1])) if found else {}

    def slow(connection):
        while request_of(connection):
            time.sleep(0.2)
            answer(connection)

    with heard() as origin, Stub(slow) as late, traced(
            driver, f"""clusters:
  c: {{endpoints: "{origin.address}"}}
  l: {{endpoints: "{late.address}"}}""", "fields: {server_timing: on}",
            rest="""routes:
  site:
    - {match: {path: /late}, cluster: l, response: {set: {X-A: b}}}
    - {match: {path: /off}, cluster: c, server_timing: off}
    - {match: {path: /own}, respond: {status: 200, body: hello}}
    - {match: {path: /*}, cluster: c}""",
            listeners='[{address: "127.0.0.1:0", routes: site}]') as (proxy, log):
        client = proxy.connect()
        head, _ = exchange(client, get("/timed"))
        fields, own = timings(head)
        check(len(fields) == 2 and fields[0] == "db;dur=53" and "uproxy" in own, head)
        head, _ = exchange(client, get("/late"))
        fields, own = timings(head)
        own = {name: float(value) for name, value in own.items()}
        check(195 < own["upstream"] < 400 and own["upstream"] == own["wait"], f"{own}")
        check(own["added"] < 50 and own["uproxy"] >= own["upstream"] + own["added"] - 0.01, f"{own}")
        check("X-A: b" in head and re.search(r"uproxy;dur=\d+\.\d{3}, added;dur=\d+\.\d{3}, upstream;dur=\d+\.\d{3}", fields[-1]), head)
        check(timings(exchange(client, get("/off"))[0])[0] == [], "a route may do without")
        head, body = exchange(client, get("/own"))
        check(body == b"hello" and "uproxy" in timings(head)[1] and "upstream" not in timings(head)[1], head)
        curl = need("curl")
        answered = subprocess.run([curl, "-sSi", "--http2-prior-knowledge", f"{proxy.url}/timed"], capture_output=True, text=True)
        check(len(timings(answered.stdout)[0]) == 2, f"{answered}")
    with heard() as origin, traced(
            driver, f'clusters: {{c: {{endpoints: "{origin.address}"}}}}', "",
            rest="routes: {site: [{match: {path: /on}, cluster: c, server_timing: on}, {match: {path: /*}, cluster: c}]}",
            listeners='[{address: "127.0.0.1:0", routes: site}]') as (proxy, log):
        client = proxy.connect()
        check(timings(exchange(client, get("/on"))[0])[1], "a route may have it alone")
        check(timings(exchange(client, get("/"))[0])[0] == [], "no other has it")


# The thread that exports knows no driver.
failing.drivers = lost.drivers = ["epoll"]
sampled.drivers = ["uring"]

if __name__ == "__main__":
    run([joined, chained, sampled, failing, lost, timed])
