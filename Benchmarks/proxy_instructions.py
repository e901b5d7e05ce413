"""What one request costs the whole proxy in user mode: instructions, counted by callgrind, and allocations.

Client and origin are this process, which takes one step at a time: nothing is sent before what the last step causes has
come. So the proxy's turns do not depend on how fast anything runs, and what it executes between two looks at a warm proxy
is the same in every run, to a few in a thousand.
"""
import os
import random
import resource
import signal
import socket
import struct
import subprocess
import sys
import time

DRIVERS = ("uring", "epoll")
# Requests; multiples of the connections of every scenario. The warm-up also lets the main thread finish its start: callgrind
# runs one thread at a time, and a worker that waits in io_uring_enter gives way only when its time slice ends.
WARM_UP, COUNTED = 1600, 1600
SILENCE = 60  # Seconds after which the proxy is taken for stuck.
ATTEMPTS = 4
ACCEPT_SECONDS = 20  # Until the proxy's connection to the origin is there: under callgrind less than two.


def body(size):
    return bytes(ord("a") + i % 26 for i in range(size))


def response(size):
    return (b"HTTP/1.1 200 OK\r\nServer: origin\r\nDate: Tue, 24 Nov 2026 10:00:00 GMT\r\n"
            b"Content-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n" % size + body(size))


class Scenario:
    def __init__(self, name, size=128, forward=False, connections=1, reconnects=False):
        self.name, self.size, self.forward = name, size, forward
        self.connections, self.reconnects = connections, reconnects


SCENARIOS = (
    Scenario("reverse, 128 B"),
    Scenario("reverse, 128 B, 16 at once", connections=16),
    Scenario("forward, 128 B", forward=True),
    Scenario("reverse, 16 KiB", size=16384),
    Scenario("reverse, 128 B, connection each", reconnects=True),
)


class Proxy:
    """uproxy under callgrind, with the allocation counter preloaded."""

    def __init__(self, binary, counter, driver, scenario, origin_port, directory, cpu):
        self.profile = os.path.join(directory, "callgrind")
        self.allocations = os.path.join(directory, "allocations")
        self.dumps = 0
        self.port = free_port()
        mode = (["--forward", f"127.0.0.1:{self.port}", "--allow-destinations", "127.0.0.0/8"] if scenario.forward else
                ["--listen", f"127.0.0.1:{self.port}", "--upstream", f"127.0.0.1:{origin_port}"])
        self.process = subprocess.Popen(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={self.profile}", f"--vgdb-prefix={directory}/vgdb",
             f"--log-file={directory}/log", binary, *mode, "--threads", "1", "--io", driver],
            env={**pinned_environment(), "LD_PRELOAD": counter, "ALLOCATION_COUNT_FILE": self.allocations},
            preexec_fn=lambda: prepare(cpu), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        end = time.monotonic() + SILENCE
        while not listens(self.port):
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"uproxy did not start: {self.process.stderr.read().decode()[-2000:]}")
            time.sleep(0.02)

    def settle(self):
        """Waits until every thread of the proxy sleeps: what the last step caused has been done."""
        end = time.monotonic() + SILENCE
        quiet = 0
        while quiet < 3:
            if self.process.poll() is not None:
                raise RuntimeError(f"uproxy ended ({self.process.returncode}): {self.process.stderr.read().decode()[-2000:]}")
            quiet = quiet + 1 if self.sleeps() else 0
            if time.monotonic() > end:
                raise RuntimeError("the proxy does not come to rest")

    def sleeps(self):
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            with open(f"/proc/{self.process.pid}/task/{task}/stat", "rb") as f:
                if f.read().rpartition(b") ")[2][:1] not in b"ST":
                    return False
        return True

    def take_counts(self):
        """Instructions since the last call, and allocations since the start."""
        self.settle()
        self.dumps += 1
        subprocess.run(
            ["vgdb", f"--pid={self.process.pid}", f"--vgdb-prefix={self.profile[:-9]}vgdb", "dump"], check=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=SILENCE)
        with open(self.allocations, "rb") as f:
            return instructions_in(f"{self.profile}.{self.dumps}"), struct.unpack("Q", f.read(8))[0]


def instructions_in(profile):
    """All that callgrind counted for a profile."""
    with open(profile) as f:
        return int(next(line for line in f if line.startswith("totals:")).split()[1])


def pinned_environment():
    """What instruction counts depend on beside the program: the variants of memcpy and others that glibc picks by what the
    CPU can do, and environment and locale."""
    return {"PATH": os.environ["PATH"], "LC_ALL": "C",
            "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-AVX512VL,-AVX_Fast_Unaligned_Load,-ERMS,-FSRM"}


def prepare(cpu):
    os.sched_setaffinity(0, {cpu})
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), min(4096, hard)))


def free_port():
    """Of five digits, as those the kernel chooses, and below these: no connection takes it meanwhile."""
    while True:
        with socket.socket() as s:
            port = random.randrange(10_000, 32_768)
            if s.connect_ex(("127.0.0.1", port)) != 0:
                return port


def listens(port):
    with open("/proc/net/tcp") as f:
        return any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A" for line in list(f)[1:])


def receive_until(connection, size, end=None):
    """`size` bytes, or all up to `end`."""
    got = b""
    while len(got) < size if end is None else not got.endswith(end):
        part = connection.recv(65536)
        if not part:
            raise RuntimeError(f"the proxy closed the connection after {got[-200:]!r}")
        got += part
    return got


class NoConnection(Exception):
    """The proxy's first connection to the origin did not come."""


class Traffic:
    """Client and origin of one proxy."""

    def __init__(self, proxy, scenario, listener):
        self.proxy, self.scenario, self.listener = proxy, scenario, listener
        target = f"http://127.0.0.1:{listener.getsockname()[1]}" if scenario.forward else ""
        self.request = (f"GET {target}/size/{scenario.size} HTTP/1.1\r\nHost: 127.0.0.1:{proxy.port}\r\n"
                        "User-Agent: benchmark/1.0\r\nAccept: */*\r\n\r\n").encode()
        self.response = response(scenario.size)
        self.clients, self.origins = [], []

    def run(self, count):
        for _ in range(count // self.scenario.connections):
            if self.scenario.reconnects or not self.clients:
                self.connect()
            self.round()
            if self.scenario.reconnects:
                self.disconnect()

    def connect(self):
        for _ in range(self.scenario.connections):
            client = socket.create_connection(("127.0.0.1", self.proxy.port), SILENCE)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.clients.append(client)
            self.proxy.settle()

    def disconnect(self):
        for client in self.clients:
            client.close()
            self.proxy.settle()
        self.clients.clear()

    def round(self):
        """A request on every connection, all answers after all requests have come."""
        if self.scenario.connections == 1:
            self.clients[0].sendall(self.request)
            self.answer(self.receive_requests())
            self.read_response(self.clients[0])
            return
        # While the proxy is stopped all requests gather: one turn takes them together.
        with self.stopped():
            for client in self.clients:
                client.sendall(self.request)
        asked = self.receive_requests()
        with self.stopped():
            self.answer(asked)
        for client in self.clients:
            self.read_response(client)

    def receive_requests(self):
        while len(self.origins) < self.scenario.connections:
            try:
                self.origins.append(self.listener.accept()[0])
            except TimeoutError:
                if self.origins:
                    raise
                raise NoConnection from None
            self.origins[-1].settimeout(SILENCE)
            self.origins[-1].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for origin in self.origins:
            receive_until(origin, 0, end=b"\r\n\r\n")
        return self.origins

    def answer(self, origins):
        for origin in origins:
            origin.sendall(self.response)

    def read_response(self, client):
        got = receive_until(client, len(self.response))
        if not got.startswith(b"HTTP/1.1 200 ") or not got.endswith(self.response[-self.scenario.size:]):
            raise RuntimeError(f"wrong answer: {got[:200]!r}")

    def stopped(self):
        return Stopped(self.proxy)


class Stopped:
    """The proxy, asleep anyway, does not wake meanwhile."""

    def __init__(self, proxy):
        self.proxy = proxy

    def __enter__(self):
        self.proxy.settle()
        self.proxy.process.send_signal(signal.SIGSTOP)
        self.proxy.settle()

    def __exit__(self, *_):
        self.proxy.process.send_signal(signal.SIGCONT)


def count(binary, counter, driver, scenario, directory, cpu):
    """Instructions and allocations per request; what was executed is in `directory`/callgrind.2.

    Valgrind runs one thread at a time, and now and then a worker that waits in io_uring_enter keeps the turn from the main
    thread, which then cannot tell it to accept: such a start is given up and made again."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return count_once(binary, counter, driver, scenario, directory, cpu)
        except NoConnection:
            if attempt == ATTEMPTS:
                raise
            print(f"{driver}: {scenario.name}: no connection at the origin, started again", file=sys.stderr, flush=True)


def count_once(binary, counter, driver, scenario, directory, cpu):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(ACCEPT_SECONDS)
        proxy = Proxy(binary, counter, driver, scenario, listener.getsockname()[1], directory, cpu)
        try:
            traffic = Traffic(proxy, scenario, listener)
            traffic.run(WARM_UP)
            _, before = proxy.take_counts()
            traffic.run(COUNTED)
            instructions, after = proxy.take_counts()
            return instructions / COUNTED, (after - before) / COUNTED
        finally:
            proxy.process.kill()
            proxy.process.wait()
