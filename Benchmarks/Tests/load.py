#!/usr/bin/env python3
"""The load generator against reality: servers that answer wrongly, stall or end, uproxy's origin, uproxy, nginx, wrk.

    UPROXY=path/to/uproxy LOAD=path/to/load Benchmarks/Tests/load.py [CASE…]
"""
import contextlib
import json
import os
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback

from listening import server

uproxy = os.environ.get("UPROXY", "uproxy")
binary = os.environ.get("LOAD", "load")


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def start(*arguments, **options):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([binary, *map(str, arguments)], **{**pipes, **options})


def result(process, errors=False, closing=""):
    """The last line of a run that ended with errors, or without."""
    out, diagnostics = process.communicate(closing, timeout=60)
    check(process.returncode == (1 if errors else 0), f"exit status {process.returncode}: {out} {diagnostics}")
    return json.loads(out.splitlines()[-1])


def load(mode, port, *arguments, errors=False):
    return result(start(mode, "--target", f"127.0.0.1:{port}", *arguments), errors)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


@contextlib.contextmanager
def program(port, *command):
    """A server in a process of its own, once it listens."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 10
        while True:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    break
            check(process.poll() is None and time.monotonic() < end, f"{command} does not listen")
            time.sleep(0.01)
        yield process
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def origin():
    port = free_port()
    with program(port, uproxy, "origin", "--listen", f"127.0.0.1:{port}", "--threads", "1") as process:
        yield port, process


def read_head(connection):
    head = b""
    while b"\r\n\r\n" not in head:
        part = connection.recv(65536)
        if not part:
            raise OSError("the client is gone")
        head += part
    return head


good = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def answering(answer, after=lambda connection: None):
    def serve(connection):
        while True:
            read_head(connection)
            connection.sendall(answer)
            if after(connection):
                return

    return serve


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return True


def errors_have_a_kind():
    cases = [
        ("status", answering(b"HTTP/1.1 503 No\r\nContent-Length: 5\r\n\r\nhello"), [], 503),
        ("length", answering(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhell"), [], 4),
        ("length", answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello!\r\n0\r\n\r\n"), [], 6),
        ("length", answering(b"HTTP/1.1 200 OK\r\n\r\nhello!", lambda _: True), [], 6),
        ("parse", answering(b"HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\nhello"), [], None),
        ("closed", answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", lambda _: True), [], 0),
        ("closed", answering(b"", lambda _: True), [], 0),
        ("reset", answering(b"", reset), [], 104),
        ("excess", answering(good + b"x"), [], None),
        ("timeout", answering(b"HTTP/1.1 200 OK\r\n"), ["--timeout", "200ms"], None),
        ("tunnel", answering(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"), ["--connect", "127.0.0.1:9"], 407),
        ("early", answering(good, lambda _: time.sleep(1)), ["--body-bytes", "100M"], 200),
    ]
    for kind, serve, arguments, detail in cases:
        with server(serve) as port:
            found = load("closed", port, "--connections", 2, "--limit-requests", 2, "--expect-bytes", 5, "--seconds", 5,
                         *arguments, errors=True)
            check(found["errors"][kind] == found["errors"]["total"] >= 2, f"{kind}: {found}")
            check(found["requests"] == 0, f"{kind}: {found}")
            check(found["errors"]["first"].get(kind) == detail, f"{kind}: {found}")
    found = load("closed", free_port(), errors=True)
    check(found["errors"]["connect"] == found["errors"]["total"] == 64, found)


def answers_are_read_however_they_come():
    cuts = [good[:n] for n in range(1, len(good))]

    def in_parts(connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for cut in cuts:
            read_head(connection)
            connection.sendall(cut)
            time.sleep(0.002)
            connection.sendall(good[len(cut):])

    with server(in_parts) as port:
        found = load("closed", port, "--connections", 1, "--limit-requests", len(cuts), "--expect-bytes", 5)
        check(found["requests"] == len(cuts), found)
    # A server that ends a connection with or after an answer is not wrong. A request that crosses such an end without
    # notice would be an error, so each connection rests for 400 ms.
    for answer in (good.replace(b"Content", b"Connection: close\r\nContent"), good, b"HTTP/1.1 200 OK\r\n\r\nhello"):
        with server(answering(answer, lambda _: True)) as port:
            found = load("open", port, "--connections", 4, "--rate", 10, "--seconds", 1, "--warmup", 0, "--expect-bytes", 5)
            check(found["completed"] == found["sent"] == 10 and found["connections_opened"] >= 10, found)


def uploads_are_exact():
    bodies = []

    def serve(connection):
        reader = connection.makefile("rb")
        while True:
            size, is_chunked = 0, False
            if not reader.readline():
                return
            while (line := reader.readline()) != b"\r\n":
                name, _, value = line.partition(b":")
                if name == b"Content-Length":
                    size = int(value)
                is_chunked |= name == b"Transfer-Encoding"
            body = b""
            if is_chunked:
                while size := int(reader.readline(), 16):
                    body += reader.read(size)
                    check(reader.readline() == b"\r\n", "chunk")
                check(reader.readline() == b"\r\n", "last chunk")
            else:
                body = reader.read(size)
            bodies.append(body)
            connection.sendall(good)

    stretch = bytes(n * 31 & 255 for n in range(65536))
    with server(serve) as port:
        for size in (0, 1, 16384, 16385, 65535, 65536, 1 << 20, (1 << 20) + 1, 3_000_001):
            for framing in ([], ["--chunked"]):
                bodies.clear()
                load("closed", port, "--connections", 1, "--limit-requests", 3, "--method", "PUT", "--body-bytes", size, *framing)
                wanted = (stretch * (size // 65536 + 1))[:size]
                check(bodies == [wanted] * 3, f"{size} {framing}: {[len(b) for b in bodies]}")


def origin_and_proxies():
    with origin() as (port, _):
        short = ["--seconds", 0.3, "--warmup", 0.1]
        routes = [(port, [])]
        with contextlib.ExitStack() as stack:
            reverse, forward = free_port(), free_port()
            stack.enter_context(program(
                reverse, uproxy, "--listen", f"127.0.0.1:{reverse}", "--upstream", f"127.0.0.1:{port}", "--threads", "1"))
            stack.enter_context(program(
                forward, uproxy, "--forward", f"127.0.0.1:{forward}", "--allow-destinations", "127.0.0.0/8", "--threads", "1"))
            routes += [(reverse, []), (forward, ["--absolute", f"http://127.0.0.1:{port}"]),
                       (forward, ["--connect", f"127.0.0.1:{port}"])]
            for to, via in routes:
                for path, size in ("/size/128", 128), ("/chunked/300000", 300_000), ("/size/20000000", 20_000_000):
                    found = load("closed", to, *via, "--path", path, "--connections", 4, "--limit-requests", 12)
                    check(found["body_bytes"] == size and found["latency_us"]["count"] == 12, found)
                found = load("closed", to, "--new-connection", "--limit-requests", 500, "--expect-bytes", 128, *via)
                check(found["requests"] == found["connections_opened"] == 500, found)
                found = load("closed", to, "--path", "/sink", "--body-bytes", "3M", "--connections", 2, *short, *via)
                check(found["bytes_out"] > 3 << 20, found)
                found = load("open", to, "--rate", 500, *short, *via)
                check(found["completed"] == found["sent"] == 150, found)
            found = load("closed", port, "--pipeline", 8, "--limit-requests", 800, "--expect-bytes", 128)
            check(found["requests"] == 800 and found["bytes_in"] > 800 * 128, found)


def nginx():
    path = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/sbin")
    if not path:
        return "skipped: there is no nginx"
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        port = free_port()
        with open(f"{folder}/page", "w") as f:
            f.write("x" * 1000)
        temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        with open(f"{folder}/conf", "w") as f:
            f.write(f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error; events {{}} http {{ {temporary}"
                    f"access_log off; keepalive_requests 100; server {{ listen 127.0.0.1:{port}; root {folder}; }} }}")
        with program(port, path, "-c", f"{folder}/conf"):
            found = load("closed", port, "--path", "/page", "--connections", 4, "--limit-requests", 2000, "--expect-bytes", 1000)
            # nginx ends a connection with its 100th answer.
            check(found["requests"] == 2000 and 20 <= found["connections_opened"] <= 24, found)


def a_limit_is_reached_though_the_server_is_gone():
    with origin() as (port, process):
        run = start("closed", "--target", f"127.0.0.1:{port}", "--connections", 4, "--limit-requests", 100, "--path", "/delay/20ms")
        time.sleep(0.2)
        process.kill()
        found = result(run, errors=True)
        check(found["requests"] + found["errors"]["total"] == 100 and found["errors"]["connect"] > 0, found)


def closed_loop_is_consistent():
    with origin() as (port, _):
        found = load("closed", port, "--connections", 16, "--seconds", 1)
        # Little's law: what is under way is the rate times the mean time it takes.
        under_way = found["requests_per_second"] * found["latency_us"]["mean"] / 1e6
        check(abs(under_way - 16) < 1.6, f"{under_way} under way: {found}")


def a_stall_shows():
    """A server that is stopped for 200 ms: each of the requests that were due meanwhile waited, and so it is told."""
    with origin() as (port, process):
        run = start("open", "--target", f"127.0.0.1:{port}", "--rate", 1000, "--connections", 4, "--seconds", 1)
        time.sleep(1)
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.2)
        process.send_signal(signal.SIGCONT)
        found = result(run)
        check(found["sent"] == found["completed"] == 1000, found)
        latency = found["latency_us"]
        check(latency["max"] >= 190_000 and latency["p99.9"] >= 190_000, latency)
        # 200 of 1000 requests waited 0 to 200 ms; a closed loop of 4 would know of 4 (p99 far below).
        check(latency["p90"] >= 80_000 and latency["p99"] >= 170_000, latency)
        return f"p50 {latency['p50']} p90 {latency['p90']} p99 {latency['p99']} max {latency['max']}"


def open_loop_keeps_its_rate():
    with origin() as (port, _):
        found = load("open", port, "--rate", 2000, "--seconds", 1)
        check(found["sent"] == found["completed"] == 2000, found)
        # More than one connection can take at 20 ms each: the queue grows, and latency with it.
        found = load("open", port, "--rate", 100, "--connections", 1, "--seconds", 0.5, "--warmup", 0, "--path", "/delay/20ms")
        check(found["completed"] == 50 and found["latency_us"]["max"] > 400_000, found)
        check(found["lateness_us"]["p50"] < 20_000, found)


def idle_connections_are_held():
    with origin() as (port, process):
        def begin(*arguments):
            run = start("idle", "--target", f"127.0.0.1:{port}", "--connections", 300, "--sources", 3, *arguments)
            ready = json.loads(run.stdout.readline())
            check(ready["ready"] == 300, ready)
            return run

        found = result(begin("--again"))
        check(found["alive"] == 300 and found["requests"] == 600, found)
        run = begin()
        process.kill()
        process.wait()
        time.sleep(0.5)  # The kernel ends the connections of a ring after the process.
        found = result(run, errors=True)
        check(found["alive"] == 0 and found["errors"]["closed"] + found["errors"]["reset"] == 300, found)


def slow_heads_go_on():
    heads = []

    def serve(connection):
        heads.append(connection)
        connection.settimeout(30)
        while len(heads) < 20 or connection is not heads[0]:
            if not connection.recv(1):
                return
        connection.sendall(b"HTTP/1.1 408 Request Timeout\r\n\r\n")

    with server(serve) as port:
        run = start("slow", "--target", f"127.0.0.1:{port}", "--connections", 20, "--interval", "50ms")
        check(json.loads(run.stdout.readline())["ready"] == 20, "ready")
        time.sleep(0.6)
        found = result(run)
        check(found["alive"] == 19 and found["answered"] == 1, found)
        check(100 <= found["bytes_out"] <= 300, found)


def connecting_has_a_time_limit():
    # The backlog is full, so that SYNs are dropped: what connects does so only to wait there.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        limits = ["--connections", 8, "--timeout", "300ms"]
        slow = start("slow", "--target", f"127.0.0.1:{port}", *limits)
        ready = json.loads(slow.stdout.readline())
        found = result(slow, errors=True)
        check(0 < found["errors"]["timeout"] == 8 - ready["ready"], found)
        found = load("closed", port, "--limit-requests", 8, *limits, errors=True)
        check(found["errors"]["timeout"] == found["errors"]["total"] >= 8 and found["requests"] == 0, found)


def wrk_costs_no_less():
    """CPU of load and of wrk for one request, taking turns: this must not be what a benchmark measures."""
    if not shutil.which("wrk"):
        return "skipped: there is no wrk"

    def spent(*command):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return out, (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e6

    own, other = [], []
    with origin() as (port, _):
        for _ in range(3):
            out, microseconds = spent(binary, "closed", "--target", f"127.0.0.1:{port}", "--seconds", "1", "--warmup", "0")
            own.append(microseconds / json.loads(out)["requests"])
            out, microseconds = spent("wrk", "-t1", "-c64", "-d1s", f"http://127.0.0.1:{port}/size/128")
            other.append(microseconds / int(re.search(r"(\d+) requests in", out)[1]))
    check(min(own) <= 1.1 * min(other), f"{own} µs a request, wrk {other}")
    return f"{min(own):.2f} µs a request, wrk {min(other):.2f}"


def an_interrupt_prints_what_there_is():
    with origin() as (port, _):
        run = start("closed", "--target", f"127.0.0.1:{port}", "--seconds", 60, "--warmup", 0)
        time.sleep(0.5)
        run.send_signal(signal.SIGINT)
        found = result(run)
        check(found["interrupted"] and found["requests"] > 0 and 0.2 < found["seconds"] < 20, found)


def wrong_usage_ends_with_64():
    for arguments in (), ("closed",), ("closed", "--target", "example.org:80"), ("open", "--target", "127.0.0.1:1"):
        run = start(*arguments)
        out, diagnostics = run.communicate(timeout=10)
        check(run.returncode == 64 and diagnostics.startswith("load: ") and not out, f"{arguments}: {out} {diagnostics}")
    run = start("--help")
    check("USAGE" in run.communicate(timeout=10)[0] and run.returncode == 0, "help")


def main():
    cases = [
        wrong_usage_ends_with_64, errors_have_a_kind, answers_are_read_however_they_come, uploads_are_exact,
        origin_and_proxies, nginx, a_limit_is_reached_though_the_server_is_gone, closed_loop_is_consistent, open_loop_keeps_its_rate, a_stall_shows,
        idle_connections_are_held, slow_heads_go_on, connecting_has_a_time_limit, an_interrupt_prints_what_there_is, wrk_costs_no_less,
    ]
    failed = False
    for case in cases:
        if sys.argv[1:] and case.__name__ not in sys.argv[1:]:
            continue
        started = time.monotonic()
        try:
            note = case()
            print(f"PASS  {case.__name__} {time.monotonic() - started:.1f} s {note or ''}", flush=True)
        except Exception:
            failed = True
            print(f"FAIL  {case.__name__}", flush=True)
            traceback.print_exc()
    sys.exit(1 if failed else 0)


main()
