#!/usr/bin/env python3
"""What takes a release build and a process of its own: memory, limits of the machine, system calls.

    UPROXY=path/to/uproxy Tests/Peers/heavy.py [CASE…]
"""
import concurrent.futures
import ctypes
import hashlib
import os
import re
import resource
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import Origin, Proxy, Skip, binary, certificate, check, exchange, pieces, receive_head, run

request = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"


def reverse(origin):
    return ("--listen", "127.0.0.1:0", "--upstream", origin.address)


def idle_connections(driver):
    """Idle connections cost at most 450 bytes each of the proxy's memory, and all still answer: 10,000 of which
    500 at a time ask at once, which leaves more behind than one after the other. All of it counts that a proxy which has served
    one request did not have: the connections' own, and what two workers need once; but for the flight recorder's ring, which
    fills up to its 2 MiB with what is told of them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count, wave = 10_000, 500
    if count + 2 * wave + 500 > hard:
        raise Skip(f"ulimit -Hn is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with Origin() as origin, Proxy(driver, "--threads", "2", "--timeout-keepalive", "10m", "--limit-connections",
                                   str(count + 1000), "--flight-recorder", "off", *reverse(origin)) as proxy:
        clients = [proxy.connect()]
        exchange(clients[0])
        before = proxy.rss()
        while len(clients) < count:
            new = [proxy.connect() for _ in range(min(wave, count - len(clients)))]
            for client in new:
                client.sendall(request)
            for client in new:
                exchange(client, b"")
            clients += new
        # At rest: what a wave needed has gone back.
        time.sleep(4)
        each = round((proxy.rss() - before) / count)
        check(each <= 450, f"{each} bytes for each of {count} idle connections, made in waves of {wave}")
        for client in clients:
            exchange(client)
        for client in clients:
            client.close()
        return f"{each} bytes each"


def idle_sessions(driver):
    """What idle connections of TLS 1.3 and of HTTP/2 cost, the libraries' memory included: not more than is counted for them."""
    frames = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])

    def secure(proxy):
        client = trusting.wrap_socket(proxy.connect())
        exchange(client)
        return client

    def multiplexing(proxy):
        client = proxy.connect()
        client.sendall(frames)
        check(client.recv(9, socket.MSG_WAITALL)[3] == 4, "SETTINGS")
        return client

    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    said, count = [], 500
    with tempfile.TemporaryDirectory() as directory, Origin() as origin:
        certificate(directory, "localhost")
        for name, tls, connect, limit in (
                ("TLS", "tls: {certificates: [{cert: localhost.pem, key: localhost.key}]}", secure, 16 << 10),
                ("HTTP/2", "http2: on", multiplexing, 28 << 10)):
            with open(f"{directory}/uproxy.yaml", "w") as file:
                file.write(f"listeners: [{{address: '127.0.0.1:0', {tls}}}]\nclusters: {{a: {{endpoints: '{origin.address}'}}}}\n")
            with Proxy(driver, "--config", f"{directory}/uproxy.yaml", "--threads", "1") as proxy:
                # What is needed once.
                clients = [connect(proxy) for _ in range(20)]
                before = proxy.rss()
                clients += [connect(proxy) for _ in range(count)]
                time.sleep(2)
                each = (proxy.rss() - before) / count
                check(each <= limit, f"{each} bytes for each of {count} idle connections of {name}")
                said.append(f"{name} {each / 1024:.1f} KiB")
                for client in clients:
                    client.close()
    return ", ".join(said)


def large_bodies(driver):
    """64 MiB both ways are byte-exact, in memory that does not grow with them."""
    size = 64 << 20
    wanted = hashlib.sha256()
    for piece in pieces(size):
        wanted.update(piece)
    with Origin() as origin, Proxy(driver, "--threads", "1", *reverse(origin)) as proxy:
        client = proxy.connect()
        exchange(client)
        before = peak = proxy.rss()

        def watch():
            nonlocal peak
            peak = max(peak, proxy.rss())

        for framing in ("length", "chunked"):
            if framing == "length":
                client.sendall(f"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n\r\n".encode())
            else:
                client.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
            for piece in pieces(size):
                if framing == "chunked":
                    piece = b"%x\r\n" % len(piece) + piece + b"\r\n"
                client.sendall(piece)
                watch()
            _, answer = exchange(client, b"0\r\n\r\n" if framing == "chunked" else b"")
            check(answer.decode() == wanted.hexdigest(), f"upload ({framing})")
        client.sendall(f"GET /bytes/{size} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        _, rest = receive_head(client)
        digest, left = hashlib.sha256(rest), size - len(rest)
        while left:
            data = client.recv(1 << 18)
            check(data, "the download ended early")
            digest.update(data)
            left -= len(data)
            watch()
        check(digest.digest() == wanted.digest(), "download")
        grown = peak - before
        # Windows of 256 KiB each way, in slices of 256 KiB, on huge pages of 2 MiB.
        check(grown <= 12 << 20, f"memory grew by {grown} bytes")
        client.close()
        return f"{grown >> 10} KiB at most"


def many_streams(driver):
    """Fifty downloads at once, half of them by readers that stop: the others are served, memory is bounded."""
    size = 16 << 20
    with Origin() as origin, Proxy(driver, "--threads", "1", *reverse(origin)) as proxy:
        exchange(proxy.connect())
        before = proxy.rss()
        stopped = []
        for _ in range(25):
            client = proxy.connect(receive_buffer=16384)
            client.sendall(f"GET /bytes/{size} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
            receive_head(client)
            stopped.append(client)

        def download(_):
            client = proxy.connect()
            client.sendall(f"GET /bytes/{size} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
            _, rest = receive_head(client)
            left = size - len(rest)
            while left:
                data = client.recv(1 << 18)
                check(data, "cut")
                left -= len(data)

        with concurrent.futures.ThreadPoolExecutor(5) as pool:
            list(pool.map(download, range(25)))
        grown = proxy.rss() - before
        check(grown < 64 << 20, f"memory grew by {grown} bytes")
        for client in stopped:
            client.close()
        return f"{grown >> 10} KiB"


def out_of_descriptors(driver):
    """With few descriptors some connections wait or get a 503; afterwards everything works again."""

    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))

    with Origin() as origin, Proxy(driver, "--threads", "1", *reverse(origin), preexec=few) as proxy:
        clients = [proxy.connect() for _ in range(60)]
        for client in clients:
            client.sendall(request)
        time.sleep(1)
        check(proxy.process.poll() is None, "the proxy ended")
        # As some go, the others are taken from the backlog and answered.
        answered = {200: 0, 503: 0, "closed": 0}
        for client in clients:
            try:
                head, _ = receive_head(client)
                status = int(head.split(" ")[1])
            except (AssertionError, ConnectionError):
                status = "closed"
            check(status in answered, status)
            answered[status] += 1
            client.close()
        check(answered[200] > 0, f"{answered}")
        for _ in range(50):
            client = proxy.connect()
            head, _ = exchange(client)
            check(head.startswith("HTTP/1.1 200 "), head)
            client.close()
        return str(answered)


def no_locked_memory(driver):
    """`ulimit -l 0` without CAP_IPC_LOCK: it runs, or says why it does so on epoll."""
    setpriv = shutil.which("setpriv")
    wrapper = []
    if os.geteuid() == 0:
        if not setpriv:
            raise Skip("there is no setpriv")
        wrapper = [setpriv, "--bounding-set", "-ipc_lock,-sys_resource,-sys_admin",
                   "--inh-caps", "-ipc_lock,-sys_resource,-sys_admin", "--reuid", "65534", "--regid", "65534",
                   "--clear-groups", "--no-new-privs"]
        check(os.access(binary, os.X_OK), binary)

    def nothing():
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))

    # The binary may lie where nobody else may go.
    copy = f"/tmp/uproxy-test-{os.getpid()}"
    shutil.copy(binary, copy)
    os.chmod(copy, 0o755)
    import harness
    original, harness.binary = harness.binary, copy
    try:
        with Origin() as origin:
            with Proxy("auto", "--threads", "2", *reverse(origin), wrapper=wrapper, preexec=nothing) as proxy:
                client = proxy.connect()
                for _ in range(100):
                    exchange(client)
                client.close()
                return proxy.lines[-1]
    finally:
        harness.binary = original
        os.unlink(copy)


no_locked_memory.drivers = ["auto"]


def deny_rings():
    """A seccomp filter as container runtimes have it: io_uring_setup is EPERM."""
    libc = ctypes.CDLL(None, use_errno=True)
    setup_number = 425
    filters = [
        (0x20, 0, 0, 0),  # the call's number
        (0x15, 0, 1, setup_number),
        (0x06, 0, 0, 0x00050000 | 1),  # EPERM
        (0x06, 0, 0, 0x7FFF0000),  # allowed
    ]
    code = b"".join(struct.pack("HBBI", *one) for one in filters)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxQ", len(filters), ctypes.addressof(buffer))
    program = ctypes.create_string_buffer(program, len(program))
    if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, ctypes.byref(program), 0, 0) != 0:
        os._exit(99)


def rings_denied(_):
    """`--io auto` falls back to epoll with one line that says why; `--io uring` ends with 1 and advice."""
    with Origin() as origin:
        with Proxy("auto", "--threads", "1", *reverse(origin), preexec=deny_rings) as proxy:
            client = proxy.connect()
            exchange(client)
            client.close()
            why = [line for line in proxy.lines if "epoll" in line]
            check(len(why) == 1 and "io_uring" in why[0], proxy.text)
        answer = subprocess.run(
            [binary, "--io", "uring", *reverse(origin)], stderr=subprocess.PIPE, text=True, timeout=10,
            preexec_fn=deny_rings)
        check(answer.returncode == 1, f"exit status {answer.returncode}: {answer.stderr}")
        check("io_uring" in answer.stderr and len(answer.stderr.strip().splitlines()) <= 3, answer.stderr)
        check("seccomp" in answer.stderr or "doctor" in answer.stderr, answer.stderr)
        return why[0]


rings_denied.drivers = ["auto"]


def few_buffers(driver):
    """With the least memory and many streams receives find no slice (ENOBUFS): all of them still arrive whole."""
    size = 1 << 20
    with Origin() as origin, Proxy(driver, "--threads", "1", "--memory", "16MiB", *reverse(origin)) as proxy:
        clients = []
        for _ in range(200):
            client = proxy.connect(receive_buffer=8192)
            client.sendall(f"GET /bytes/{size} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
            clients.append(client)
        wanted = hashlib.sha256(b"".join(pieces(size))).digest()

        def drain(client):
            head, rest = receive_head(client)
            status = int(head.split(" ")[1])
            if status == 503:
                return 503
            digest, left = hashlib.sha256(rest), size - len(rest)
            while left:
                data = client.recv(1 << 16)
                check(data, f"cut with {left} bytes left")
                digest.update(data)
                left -= len(data)
            check(digest.digest() == wanted, "not the bytes sent")
            return status

        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(drain, clients))
        check(answers.count(200) >= 100, f"{answers.count(503)} of {len(answers)} refused")
        client = proxy.connect()
        exchange(client)
        client.close()
        return f"{answers.count(503)} of {len(answers)} answered 503"


def system_calls(driver):
    """In steady state nothing but io_uring_enter grows with the number of requests, on one thread as on two; with the
    bytes of long bodies splice grows too, by large pieces."""
    if not shutil.which("strace"):
        raise Skip("there is no strace")
    small = "; ".join(f"{threads}: {calls_of(driver, threads)}" for threads in (1, 2))
    return f"{small}; long bodies: {calls_of_long_bodies(driver)}"


def traced(proxy, load):
    """How often the proxy makes which system call while `load` runs."""
    tracer = subprocess.Popen(
        ["strace", "-f", "-c", "-U", "name,calls", "-p", str(proxy.pid)], stderr=subprocess.PIPE, text=True)
    for line in iter(tracer.stderr.readline, ""):
        if "attached" in line:
            break
    time.sleep(0.3)
    load()
    tracer.send_signal(signal.SIGINT)
    calls = {}
    for line in tracer.stderr.read().splitlines():
        parts = line.split()
        if len(parts) == 2 and parts[1].isdigit() and parts[0] != "total":
            calls[parts[0]] = int(parts[1])
    tracer.wait()
    return calls


def calls_of(driver, threads):
    # Without who looks after workers that hang: a thread of its own looks at them a hundred times a second.
    with Origin() as origin, Proxy(
            driver, "--threads", str(threads), "--flight-recorder", "off", *reverse(origin)) as proxy:
        clients = [proxy.connect() for _ in range(8)]

        def load(rounds):
            for _ in range(rounds):
                for client in clients:
                    client.sendall(request)
                for client in clients:
                    exchange(client, b"")

        load(50)

        few, many = traced(proxy, lambda: load(50)), traced(proxy, lambda: load(250))
        requests = 200 * len(clients)
        grown = {name: many[name] - few.get(name, 0) for name in many}
        # Timers of the engine's own (one a second) are not requests.
        scaling = {name: calls for name, calls in grown.items() if calls > requests / 100}
        # The epoll driver moves a lent connection from one epoll to another.
        wanted = {"io_uring_enter"} if driver == "uring" else {"epoll_pwait2", "recvfrom", "sendto", "epoll_ctl"}
        check(scaling.keys() <= wanted, f"{threads} threads, {requests} requests: {scaling}")
        check(scaling, f"nothing was counted: {many}")
        for client in clients:
            client.close()
        return f"{requests} requests: {scaling}"


def calls_of_long_bodies(driver):
    size = 8 << 20
    with Origin() as origin, Proxy(
            driver, "--threads", "1", "--flight-recorder", "off", *reverse(origin)) as proxy:
        client = proxy.connect()

        def load(rounds):
            for _ in range(rounds):
                client.sendall(f"GET /bytes/{size} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
                head, rest = receive_head(client)
                left = size - len(rest)
                while left:
                    data = client.recv(1 << 20)
                    check(data, f"cut with {left} bytes left")
                    left -= len(data)

        load(2)
        few, many = traced(proxy, lambda: load(4)), traced(proxy, lambda: load(20))
        client.close()
    grown = {name: many[name] - few.get(name, 0) for name in many}
    scaling = {name: calls for name, calls in grown.items() if calls > 16}
    wanted = {"splice", "madvise"}
    # The ring's sockets are in blocking mode but for a splice into them.
    wanted |= {"io_uring_enter", "fcntl"} if driver == "uring" else {"epoll_pwait2", "recvfrom", "sendto", "sendmsg", "poll"}
    check(scaling.keys() <= wanted, f"16 bodies of {size} bytes: {scaling}")
    # Into the pipe and out of it, by 64 KiB on average or more.
    check(0 < grown.get("splice", 0) <= 2 * 16 * size >> 16, f"16 bodies of {size} bytes: {scaling}")
    return f"16 of {size >> 20} MiB: {scaling}"


if __name__ == "__main__":
    run([idle_connections, idle_sessions, large_bodies, many_streams, out_of_descriptors, no_locked_memory, rings_denied, few_buffers,
         system_calls])
