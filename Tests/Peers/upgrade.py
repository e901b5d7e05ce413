"""A process in the place of another one, under load: what peers.py runs beside its other cases."""
import contextlib
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

from harness import Origin, binary, check, exchange, need, receive_head


class Service:
    """A uproxy that is upgraded: each process has the one before for its parent, and a file tells the last one's number."""

    def __init__(self, driver, directory, configuration, arguments=()):
        self.directory = directory
        self.program = f"{directory}/uproxy"
        os.symlink(os.path.abspath(shutil.which(binary) or binary), self.program)
        self.file = f"{directory}/uproxy.yaml"
        self.configure(configuration)
        self.lines = []
        self.process = subprocess.Popen(
            # By a relative path, as it stands on the command line of a person.
            ["./uproxy", "--config", "uproxy.yaml", "--pid-file", "pid", *(["--io", driver] if driver else []), *arguments],
            cwd=directory, stderr=subprocess.PIPE)
        threading.Thread(target=self._read, daemon=True).start()
        self.processes = [self.await_process()]

    def configure(self, text):
        with open(self.file + ".new", "w") as file:
            file.write(text)
        os.rename(self.file + ".new", self.file)

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line.decode().rstrip())

    def await_process(self):
        """The number in the file, once it is there."""
        for _ in range(1000):
            with contextlib.suppress(FileNotFoundError, ValueError):
                return int(open(f"{self.directory}/pid").read())
            time.sleep(0.01)
        raise AssertionError(f"no process: {self.lines}")

    def await_line(self, text, count=1):
        for _ in range(1000):
            if sum(text in line for line in self.lines) >= count:
                return
            time.sleep(0.01)
        raise AssertionError(f"no line with {text!r}: {self.lines}")

    def address(self, pattern, place=-1):
        host, port = re.findall(pattern + r" ([\d.]+):(\d+)", "\n".join(self.lines))[place]
        return host, int(port)

    def ask(self, *options):
        return subprocess.run(
            [binary, "upgrade", "--pid-file", f"{self.directory}/pid", *options], capture_output=True, text=True, timeout=60)

    def upgrade(self):
        old = self.processes[-1]
        done = self.ask()
        check(done.returncode == 0, f"{done} {self.lines}")
        new = self.await_process()
        check(new != old and done.stdout == f"process {new} serves in the place of process {old}\n", done.stdout)
        self.processes.append(new)
        self.await_line(" on io_uring " if any(" on io_uring " in line for line in self.lines) else " on epoll ", len(self.processes))

    def refused(self, *options):
        """What an upgrade that must fail says."""
        done = self.ask(*options)
        check(done.returncode == 1, f"{done} {self.lines}")
        check(self.await_process() == self.processes[-1], "the file's number")
        return done.stderr

    def end(self):
        for process in reversed(self.processes):
            with contextlib.suppress(ProcessLookupError):
                handle = os.pidfd_open(process)
                os.kill(process, signal.SIGTERM)
                if process != self.processes[0]:
                    ended, _, _ = select.select([handle], [], [], 20)
                    check(ended, f"process {process} has not ended: {self.lines}")
                os.close(handle)
        check(self.process.wait(20) == 0, f"status {self.process.returncode}: {self.lines}")
        check(not os.path.exists(f"{self.directory}/pid"), "the file is removed")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.end()
            return
        for process in self.processes + [self.process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.process.wait()


class ShortConnections:
    """Clients that connect for every request: whom a listener that nobody accepts on would turn away or forget."""

    def __init__(self, address, count=4):
        self.address, self.isEnded, self.failures, self.answers = address, False, [], 0
        self.threads = [threading.Thread(target=self._run) for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def _run(self):
        while not self.isEnded:
            try:
                family = socket.AF_UNIX if isinstance(self.address, str) else socket.AF_INET
                with socket.socket(family) as client:
                    client.settimeout(10)
                    client.connect(self.address)
                    head, body = exchange(client, b"GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                    check(head.startswith("HTTP/1.1 200 ") and body == b"ok", head)
                self.answers += 1
            except Exception as failure:
                self.failures.append(repr(failure))

    def end(self, least=20):
        while self.answers < least and not self.failures:
            time.sleep(0.01)
        self.isEnded = True
        for thread in self.threads:
            thread.join()
        check(not self.failures, f"{len(self.failures)} failed: {self.failures[:3]}")
        return self.answers


class Echo:
    """Answers every byte with itself, on one thread for each connection."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self._echo, args=(connection,), daemon=True).start()

    @staticmethod
    def _echo(connection):
        with connection, contextlib.suppress(OSError):
            first = connection.recv(65536)
            if first.startswith(b"GET "):
                connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
                first = b""
            while first or (first := connection.recv(65536)):
                connection.sendall(first)
                first = b""

    def close(self):
        self.listener.close()


def speak(client, text):
    client.sendall(text)
    got = b""
    while len(got) < len(text):
        more = client.recv(65536)
        check(more, f"a tunnel ended: {got}")
        got += more
    check(got == text, f"{got} for {text}")


def connect(address, request=None, status="200"):
    client = socket.create_connection(address, 20)
    if request:
        client.sendall(request.encode())
        head, _ = receive_head(client)
        check(head.startswith(f"HTTP/1.1 {status} "), head)
    return client


FILE = """
listeners:
  - {{address: "127.0.0.1:0", cluster: a}}
  - {{address: "unix:{directory}/socket", cluster: a}}
  - {{address: "127.0.0.1:0", role: forward}}
  - {{address: "127.0.0.1:0", role: tcp, cluster: echo}}
  - {{address: "127.0.0.1:0", cluster: echo}}
{more}
clusters: {{a: {{endpoints: "{origin}"}}, echo: {{endpoints: "127.0.0.1:{echo}"}}}}
admin: {{address: "127.0.0.1:0"}}
engine: {{threads: {threads}}}
forward: {{allow: 127.0.0.0/8}}
timeouts: {{drain: 120s}}
"""


def upgrade(driver):
    """Three upgrades under load: no request fails, and tunnels go on in the processes that they were opened in."""
    wrk = need("wrk")
    echo = Echo()
    with Origin() as slow, tempfile.TemporaryDirectory() as directory:
        # What answers must not be what is slow.
        origin = subprocess.Popen([binary, "origin", "--listen", "127.0.0.1:0", "--threads", "1"], stderr=subprocess.PIPE)
        try:
            text = ""
            while " on 127.0.0.1:" not in text:
                text = origin.stderr.readline().decode()
                check(text, "no origin")
            fast = re.search(r"127\.0\.0\.1:\d+", text)[0]
            values = dict(directory=directory, origin=slow.address, echo=echo.port, more="")
            with Service(driver, directory, FILE.format(threads=2, **values)) as service:
                service.await_line("metrics and health on")
                http = service.address("reverse proxy on", 0)
                forward, tcp, sockets = (service.address(f"{role} on") for role in ("forward proxy", "tcp", "reverse proxy"))
                admin = service.address("metrics and health on")
                with open(f"{directory}/request.lua", "w") as script:
                    script.write(f'request = function() return "GET http://{fast}/ HTTP/1.1\\r\\nHost: {fast}\\r\\n\\r\\n" end\n'
                                 # The first that is no 200, whole.
                                 'response = function(status, headers, body) if status ~= 200 and not told then told = true '
                                 'print("Failed: " .. status .. " " .. body) end end\n')
                load = subprocess.Popen(
                    [wrk, "-t1", "-c20", "-d600s", "--timeout", "60s", "-s", f"{directory}/request.lua",
                     f"http://{forward[0]}:{forward[1]}/"],
                    stdout=subprocess.PIPE, text=True)
                short = [ShortConnections(http), ShortConnections(f"{directory}/socket", 2)]
                tunnels = []
                for threads in (2, 1, 3, 2):
                    # A new process with more threads, and one with fewer.
                    service.configure(FILE.format(threads=threads, **values))
                    if threads != 2 or len(tunnels):
                        service.upgrade()
                    tunnels += [
                        connect(forward, f"CONNECT 127.0.0.1:{echo.port} HTTP/1.1\r\nHost: h\r\n\r\n"),
                        connect(tcp),
                        connect(sockets, "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "101"),
                    ]
                    for client in tunnels:
                        speak(client, b"hello")
                    body = urllib.request.urlopen(f"http://{admin[0]}:{admin[1]}/ready").read()
                    check(body == b"ok\n", body)
                check(load.poll() is None, "the load ended before the last upgrade")
                answers = sum(one.end() for one in short)
                load.send_signal(signal.SIGINT)
                report = load.communicate(timeout=60)[0]
                check("Socket errors" not in report and "Failed: " not in report, report)
                requests = int(re.search(r"(\d+) requests in", report)[1])
                check(requests > 500, report)
                for client in tunnels:
                    speak(client, b"still here")
                    client.close()
                # All but the last have nothing left to do.
                for process in service.processes[1:-1]:
                    with contextlib.suppress(ProcessLookupError):
                        handle = os.pidfd_open(process)
                        check(select.select([handle], [], [], 20)[0], f"process {process} has not ended")
                check(service.process.wait(20) == 0, f"the first one's end: {service.lines}")
                check(os.path.exists(f"{directory}/socket"), "the socket's file belongs to the last one")
                # What the file no longer has is closed, and what it has more is opened.
                service.configure(
                    FILE.format(threads=2, **{**values, "more": f'  - {{address: "unix:{directory}/new", cluster: a}}'})
                    .replace(f'  - {{address: "unix:{directory}/socket", cluster: a}}\n', ""))
                service.upgrade()
                ShortConnections(f"{directory}/new", 1).end()
                for _ in range(1000):
                    if not os.path.exists(f"{directory}/socket"):
                        break
                    time.sleep(0.01)
                check(not os.path.exists(f"{directory}/socket"), f"the socket that is no more: {service.lines}")
            return f"{answers} connections, {requests} requests of wrk"
        finally:
            origin.kill()
            origin.wait()
            echo.close()


def upgrade_fails(driver):
    """A new process that does not come to serve: the old one goes on, and says why."""
    with Origin() as origin, tempfile.TemporaryDirectory() as directory:
        text = (f"listeners: [{{address: '127.0.0.1:0'}}]\nclusters: {{a: {{endpoints: '{origin.address}'}}}}\n"
                "admin: {address: '127.0.0.1:0'}\ntimeouts: {upgrade: 4s}\n")
        with Service(driver, directory, text) as service:
            service.await_line("metrics and health on")
            http, admin = service.address("reverse proxy on"), service.address("metrics and health on")
            short = ShortConnections(http, 2)
            program = os.readlink(service.program)

            def replace(script):
                os.unlink(service.program)
                with open(service.program, "w") as file:
                    file.write(script)
                os.chmod(service.program, 0o755)

            def goes_on():
                body = urllib.request.urlopen(f"http://{admin[0]}:{admin[1]}/ready").read()
                check(body == b"ok\n", body)
                client = connect(http)
                check(exchange(client)[1] == b"ok", "an answer")
                client.close()

            service.configure(text + "nonsense: 1\n")
            why = service.refused()
            check("the new process does not start" in why and "nonsense: there is no such key" in why, why)
            goes_on()
            with socket.create_server(("127.0.0.1", 0)) as taken:
                service.configure(text.replace("'127.0.0.1:0'", f"'127.0.0.1:{taken.getsockname()[1]}'", 1))
                why = service.refused()
                check("another process listens there" in why, why)
            goes_on()
            service.configure(text)
            os.unlink(service.program)
            why = service.refused()
            check("cannot start ./uproxy: there is no such program" in why, why)
            with open(service.program, "w") as file:
                file.write("#!/bin/sh\nexit 3\n")
            os.chmod(service.program, 0o644)
            why = service.refused()
            check("this process's user may not run it" in why or os.geteuid() == 0 and "cannot start" in why, why)
            replace("#!/bin/sh\nexit 3\n")
            why = service.refused()
            check("ended before it served, with status 3" in why, why)
            replace("#!/bin/sh\nkill -ABRT $$\n")
            why = service.refused()
            check("ended before it served, with status 134" in why, why)
            replace("#!/bin/sh\nexec sleep 3600\n")
            why = service.refused()
            check("did not serve within 4s" in why, why)
            # It gets its turn, and then says nothing more.
            replace(f"#!/bin/sh\nexec python3 -c \"\nimport socket, time\nchannel = socket.socket(fileno=3)\n"
                    "while channel.recv(65536) != b'end': pass\nchannel.send(b'ready')\n"
                    "assert channel.recv(99) == b'your-turn'\ntime.sleep(3600)\"\n")
            why = service.refused()
            check("did not serve within 4s" in why, why)
            goes_on()
            short.end()
            service.await_line("no upgrade: ", 8)
            # It can still be done.
            os.unlink(service.program)
            os.symlink(program, service.program)
            service.upgrade()
            goes_on()
        done = subprocess.run([binary, "upgrade", "--pid", str(os.getpid())], capture_output=True, text=True)
        check(done.returncode == 1 and "no uproxy that can be upgraded" in done.stderr, f"{done}")


def drain_delay(driver):
    """Readiness ends first; for a while connections are taken as before."""
    with Origin() as origin, tempfile.TemporaryDirectory() as directory:
        text = (f"listeners: [{{address: '127.0.0.1:0'}}]\nclusters: {{a: {{endpoints: '{origin.address}'}}}}\n"
                "admin: {address: '127.0.0.1:0'}\ntimeouts: {drain_delay: 700ms}\n")
        with Service(driver, directory, text) as service:
            service.await_line("metrics and health on")
            http, admin = service.address("reverse proxy on"), service.address("metrics and health on")
            ready = f"http://{admin[0]}:{admin[1]}/ready"
            check(urllib.request.urlopen(ready).status == 200, "ready")
            os.kill(service.processes[0], signal.SIGTERM)
            began = time.monotonic()
            service.await_line("not ready any more, draining in 700ms")
            try:
                urllib.request.urlopen(ready)
                raise AssertionError("still ready")
            except urllib.error.HTTPError as answer:
                check(answer.code == 503, answer)
            client = connect(http)
            check(exchange(client)[1] == b"ok", "an answer")
            check(exchange(client)[1] == b"ok", "kept alive")
            client.close()
            service.await_line("draining for at most 30s")
            took = time.monotonic() - began
            check(0.6 < took < 10, f"the drain began after {took:.1f} s")
            check(service.process.wait(20) == 0, f"{service.lines}")
