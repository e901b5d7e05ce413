"""The access log as its users see it: where the time went, what is kept of sampled traffic, and what happens when nobody reads it."""
import contextlib
import json
import os
import re
import socket
import ssl
import subprocess
import tempfile
import threading
import time

from harness import Proxy, binary, certificate, check, exchange, receive_head, run

DELAY = 0.3
STAGES = ["read", "queue", "route", "pool", "resolve", "connect", "tls", "send", "wait", "receive", "drain"]


class Stub:
    """An origin that does what `serve` does with each connection."""

    def __init__(self, serve, receive_buffer=None, backlog=64):
        self.listener = socket.socket()
        if receive_buffer:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(backlog)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.serve = serve
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._run, args=[connection], daemon=True).start()

    def _run(self, connection):
        with contextlib.suppress(OSError), connection:
            self.serve(connection)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


def request_of(connection):
    """The head of a request, and what has come behind it; None at the end."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return None
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def answer(connection, body=b"ok", pause=0.0):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
    time.sleep(pause)
    connection.sendall(body)


def records(path, count, seconds=10):
    """The lines of a JSON log, once there are so many."""
    deadline = time.monotonic() + seconds
    while True:
        lines = open(path).read().splitlines() if os.path.exists(path) else []
        if len(lines) >= count:
            return [json.loads(line) for line in lines]
        check(time.monotonic() < deadline, f"{len(lines)} of {count} records in {path}")
        time.sleep(0.01)


@contextlib.contextmanager
def logging(driver, clusters, listeners=None, log="format: json", rest=""):
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/access.log"
        open(f"{folder}/uproxy.yaml", "w").write(
            f"""listeners: {listeners or '[{address: "127.0.0.1:0"}]'}
{clusters}
access_log: {{to: "{path}", {log}}}
{rest}
""")
        with Proxy(driver, "--config", f"{folder}/uproxy.yaml", "--threads", "1") as proxy:
            yield proxy, path


def expect(record, stage, seconds=DELAY):
    """That so much time went into a stage, little into all others, and nothing was lost."""
    stages = record["stages_ms"]
    total = sum(stages.values())
    check(abs(total - record["duration_ms"]) <= 0.01 * total, f"{total} ms are not {record['duration_ms']}")
    at_least = seconds * 1000 * 0.95
    check(at_least <= stages.get(stage, 0) <= at_least + 250, f"{stage}: {record}")
    for other in STAGES:
        # What the work itself takes on a busy machine.
        check(other == stage or stages.get(other, 0) < 100, f"{other} beside {stage}: {record}")


def ledger(driver):
    """A delay in each stage moves that stage alone."""

    def slow_head(connection):
        while request_of(connection):
            time.sleep(DELAY)
            answer(connection)

    def slow_body(connection):
        while request_of(connection):
            answer(connection, pause=DELAY)

    def late_reader(connection):
        head, rest = request_of(connection)
        left = int(re.search(rb"(?i)content-length: (\d+)", head)[1]) - len(rest)
        time.sleep(DELAY)
        while left > 0:
            left -= len(connection.recv(min(left, 1 << 18)))
        answer(connection)

    def quick(connection):
        while True:
            request = request_of(connection)
            if not request:
                return
            length = re.search(rb"(?i)content-length: (\d+)", request[0])
            left = int(length[1]) - len(request[1]) if length else 0
            while left > 0:
                left -= len(connection.recv(left))
            answer(connection)

    def large(connection):
        while request_of(connection):
            answer(connection, bytes(24 << 20))

    with Stub(slow_head) as stub, logging(driver, f'clusters: {{c: {{endpoints: "{stub.address}"}}}}') as (proxy, log):
        exchange(proxy.connect())
        record = records(log, 1)[0]
        expect(record, "wait")
        check(record["added_ms"] < 0.01 * record["duration_ms"] + 1, f"the proxy adds little: {record}")
    # One exchange at a time in the cluster: the second one waits for the first.
    limited = 'clusters: {c: {endpoints: "%s", limits: {requests: 1, queue: 10}}}'
    with Stub(slow_head) as stub, logging(driver, limited % stub.address) as (proxy, log):
        first, second = proxy.connect(), proxy.connect()
        first.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        time.sleep(0.02)
        second.sendall(b"GET /second HTTP/1.1\r\nHost: h\r\n\r\n")
        receive_head(first), receive_head(second)
        record = next(record for record in records(log, 2) if record["target"] == "/second")
        check(record["stages_ms"]["queue"] > 0.8 * DELAY * 1000, f"queue: {record}")
        check(record["stages_ms"]["wait"] > 0.95 * DELAY * 1000, f"wait behind queue: {record}")
        check(record["added_ms"] > 0.8 * DELAY * 1000, f"queueing is the proxy's: {record}")
    with Stub(slow_body) as stub, logging(driver, f'clusters: {{c: {{endpoints: "{stub.address}"}}}}') as (proxy, log):
        exchange(proxy.connect())
        expect(records(log, 1)[0], "receive")
    with Stub(quick) as stub, logging(driver, f'clusters: {{c: {{endpoints: "{stub.address}"}}}}') as (proxy, log):
        client = proxy.connect()
        client.sendall(b"GET / HTTP/1.1\r\nHo")
        time.sleep(DELAY)
        exchange(client, b"st: h\r\n\r\n")
        expect(records(log, 1)[0], "read")
        client.sendall(b"POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n" + bytes(50000))
        time.sleep(DELAY)
        exchange(client, bytes(50000))
        record = records(log, 2)[1]
        expect(record, "read")
        check(record["request_bytes"] == 100000, f"content: {record}")
    with Stub(late_reader, receive_buffer=16384) as stub, logging(
            driver, f'clusters: {{c: {{endpoints: "{stub.address}"}}}}') as (proxy, log):
        client = proxy.connect()
        body = bytes(24 << 20)
        exchange(client, b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        record = records(log, 1)[0]
        check(record["stages_ms"]["send"] > 0.9 * DELAY * 1000, f"send: {record}")
        check(record["request_bytes"] == len(body), f"content: {record}")
    with Stub(large) as stub, logging(driver, f'clusters: {{c: {{endpoints: "{stub.address}"}}}}') as (proxy, log):
        client = proxy.connect(receive_buffer=16384)
        client.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        time.sleep(DELAY)
        head, body = receive_head(client)
        left = (24 << 20) - len(body)
        while left:
            left -= len(client.recv(min(left, 1 << 20)))
        record = records(log, 1)[0]
        check(record["stages_ms"]["drain"] > 0.9 * DELAY * 1000, f"drain: {record}")
        check(record["added_ms"] < 20, f"not the proxy's: {record}")
        check(record["response_bytes"] == 24 << 20, f"content: {record}")
    ledger_of_tls(driver)
    ledger_of_names(driver)


def ledger_of_tls(driver):
    with tempfile.TemporaryDirectory() as folder:
        certificate(folder, "origin.test", "-addext", "subjectAltName=DNS:origin.test")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{folder}/origin.test.pem", f"{folder}/origin.test.key")

        def late_handshake(connection):
            time.sleep(DELAY)
            with context.wrap_socket(connection, server_side=True) as session:
                while request_of(session):
                    answer(session)

        clusters = 'clusters: {c: {endpoints: "%s", tls: {server_name: origin.test, ca: "%s/origin.test.pem"}}}'
        with Stub(late_handshake) as stub, logging(driver, clusters % (stub.address, folder)) as (proxy, log):
            client = proxy.connect()
            exchange(client)
            exchange(client)
            first, second = records(log, 2)
            expect(first, "tls")
            check(first["upstream"]["reused"] is False and first["upstream"]["tls"] is True, f"{first}")
            check(second["upstream"]["reused"] is True and "tls" not in second["stages_ms"], f"{second}")


def ledger_of_names(driver):
    """A forward proxy that asks a slow name server."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                query, who = server.recvfrom(512)
            except OSError:
                return
            time.sleep(DELAY)
            end = query.index(b"\0", 12) + 5
            is_a = query[end - 4:end - 2] == b"\0\1"
            found = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1" if is_a else b""
            server.sendto(query[:2] + b"\x81\x80\0\1\0%c\0\0\0\0" % (1 if is_a else 0) + query[12:end] + found, who)

    threading.Thread(target=serve, daemon=True).start()

    def quick(connection):
        while request_of(connection):
            answer(connection)

    with Stub(quick) as stub, logging(
            driver, "", '[{address: "127.0.0.1:0", role: forward}]',
            rest='dns: {servers: "127.0.0.1:%d"}\nforward: {allow: "127.0.0.0/8"}' % server.getsockname()[1]) as (proxy, log):
        port = stub.address.split(":")[1]
        exchange(proxy.connect(), f"GET http://slow.test:{port}/ HTTP/1.1\r\nHost: slow.test:{port}\r\n\r\n".encode())
        record = records(log, 1)[0]
        expect(record, "resolve", seconds=record["stages_ms"]["resolve"] / 1000)
        check(record["stages_ms"]["resolve"] > 0.95 * DELAY * 1000, f"resolve: {record}")
        check(record["upstream"]["endpoint"] == f"slow.test:{port}", f"endpoint: {record}")
    server.close()


@contextlib.contextmanager
def own_origin():
    process = subprocess.Popen([binary, "origin", "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
    try:
        line = process.stderr.readline()
        yield re.search(r"127\.0\.0\.1:\d+", line)[0]
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()


def pipelined(proxy, targets, batch=200):
    """Sends requests in batches on one connection, and reads all answers; how many had each status."""
    client = proxy.connect()
    statuses = {}
    for start in range(0, len(targets), batch):
        part = targets[start:start + batch]
        client.sendall(b"".join(b"GET %s HTTP/1.1\r\nHost: h\r\nUser-Agent: peers\r\n\r\n" % target for target in part))
        data, found = b"", 0
        while found < len(part):
            end = data.find(b"\r\n\r\n")
            if end < 0:
                data += client.recv(1 << 20)
                continue
            head = data[:end]
            length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
            while len(data) < end + 4 + length:
                data += client.recv(1 << 20)
            data = data[end + 4 + length:]
            status = int(head[9:12])
            statuses[status] = statuses.get(status, 0) + 1
            found += 1
    client.close()
    return statuses


def sampled(driver):
    """Of 100,000 requests one in 100 is kept, and every failure; the weights give the number again."""
    count, failures = 100_000, 50
    targets = [b"/size/1"] * count
    for index in range(failures):
        targets[index * (count // failures)] = b"/status/500"
    with own_origin() as origin, logging(
            driver, f'clusters: {{c: {{endpoints: "{origin}"}}}}', log="format: json, sample: 100") as (proxy, log):
        statuses = pipelined(proxy, targets)
        check(statuses == {200: count - failures, 500: failures}, f"{statuses}")
        proxy.stop()
        lines = records(log, 1)
        kept = [record for record in lines if record["status"] == 500]
        check(len(kept) == failures and all(record["weight"] == 1 for record in kept), f"{len(kept)} failures")
        rest = [record for record in lines if record["status"] == 200]
        estimate = sum(record["weight"] for record in rest)
        # Each of n is drawn with probability p: the estimate's standard error is sqrt(n (1 - p) / p).
        error = ((count - failures) * 0.99 / 0.01) ** 0.5
        check(abs(estimate - (count - failures)) <= 3 * error, f"{estimate} estimated, of {count - failures}")
        return f"{len(lines)} records, {estimate + len(kept)} estimated"


def unread(driver):
    """A log that nobody reads: no exchange waits for it, and what is dropped is counted exactly."""
    with tempfile.TemporaryDirectory() as folder, own_origin() as origin:
        path = f"{folder}/pipe"
        os.mkfifo(path)
        pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        open(f"{folder}/uproxy.yaml", "w").write(
            f"""listeners: [{{address: "127.0.0.1:0"}}]
clusters: {{c: {{endpoints: "{origin}"}}}}
access_log: {{to: "{path}", format: json, buffer: 64KiB}}
""")
        with Proxy(driver, "--config", f"{folder}/uproxy.yaml", "--threads", "1") as proxy:
            count = 5000
            check(pipelined(proxy, [b"/size/1"] * count) == {200: count}, "all are answered")
            slowest = 0.0
            client = proxy.connect()
            for _ in range(200):
                started = time.monotonic()
                exchange(client)
                slowest = max(slowest, time.monotonic() - started)
            check(slowest < 0.25, f"one took {slowest} s")
            count += 200
            dropped = proxy.counter("access_log_dropped_total")
            check(0 < dropped < count, f"{dropped} dropped")
            data, read = b"", 0
            deadline = time.monotonic() + 20
            while read < count - dropped:
                try:
                    data += os.read(pipe, 1 << 20)
                except BlockingIOError:
                    time.sleep(0.005)
                read = data.count(b"\n")
                check(time.monotonic() < deadline, f"{read} records and {dropped} dropped of {count}")
            ids = {json.loads(line)["id"] for line in data.splitlines()}
            check(len(ids) == count - dropped, f"{len(ids)} records, {dropped} dropped, of {count}")
        os.close(pipe)
        return f"{dropped} of {count} dropped, the slowest of 200 took {slowest * 1000:.1f} ms"


def kept_binary(driver):
    """What a binary log says in JSON is what a JSON log says."""
    volatile = {"time", "id", "duration_ms", "added_ms", "stages_ms", "retries_ms"}

    def told(lines):
        for record in lines:
            for name in volatile:
                record.pop(name, None)
        return lines

    def traffic(proxy):
        client = proxy.connect()
        exchange(client, b"GET /size/3?token=secret HTTP/1.1\r\nHost: h\r\nReferer: http://r/?token=x\r\nX-Tag: a\"b\r\n\r\n")
        exchange(client, b"GET /status/503 HTTP/1.1\r\nHost: h\r\nAuthorization: Basic abc\r\n\r\n")
        exchange(client, b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello")
        head, _ = exchange(client, b"GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n")
        check(" 400 " in head, head)

    common = "fields: {request: [X-Tag, Authorization], response: [Content-Length]}, redact: {query: token}"
    with own_origin() as origin:
        clusters = f'clusters: {{c: {{endpoints: "{origin}"}}}}'
        with logging(driver, clusters, log=f"format: json, {common}") as (proxy, log):
            traffic(proxy)
            plain = records(log, 4)
        with logging(driver, clusters, log=f"format: binary, {common}") as (proxy, log):
            traffic(proxy)
            proxy.stop()
            rendered = subprocess.run([binary, "log", "cat", "--format", "json", log], capture_output=True, text=True)
            check(rendered.returncode == 0, rendered.stderr)
            check("secret" not in open(log, errors="replace").read(), "a secret is in the file")
            errors = subprocess.run([binary, "log", "cat", "--filter", "status>=500", log], capture_output=True, text=True)
            check(errors.stdout.count("\n") == 1 and "503" in errors.stdout, errors.stdout)
    again = [json.loads(line) for line in rendered.stdout.splitlines()]
    for record in plain + again:
        record.pop("listener")
    check(told(plain) == told(again), f"{plain}\n{again}")
    check(plain[0]["target"] == "/size/3?token=[redacted]", f"{plain[0]}")
    check(plain[1]["request_fields"]["authorization"] == "[redacted]", f"{plain[1]}")
    check(plain[3]["status"] == 400 and plain[3]["failure"], f"{plain[3]}")


if __name__ == "__main__":
    run([ledger, sampled, unread, kept_binary])
