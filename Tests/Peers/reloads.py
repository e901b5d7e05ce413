"""A configuration in the place of another one, in the same process: what peers.py runs beside its other cases."""
import itertools
import os
import re
import selectors
import signal
import socket
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

from harness import Origin, Proxy, binary, check, need, receive_head


class Echo:
    """Sends back what it gets; what begins with a request is upgraded first."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.accepted = 0
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        selector = selectors.DefaultSelector()
        selector.register(self.listener, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is self.listener:
                    connection, _ = self.listener.accept()
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    selector.register(connection, selectors.EVENT_READ)
                    self.accepted += 1
                    continue
                try:
                    data = key.fileobj.recv(65536)
                except ConnectionError:
                    data = b""
                if not data:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
                elif data.startswith(b"GET "):
                    key.fileobj.sendall(
                        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
                else:
                    key.fileobj.sendall(data)


class Streams:
    """Tunnels and upgraded connections that stay open."""

    def __init__(self, web, forward, echo, count):
        self.sockets = []
        for index in range(count):
            client = socket.create_connection(web if index % 2 else forward)
            client.settimeout(30)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if index % 2:
                client.sendall(b"GET /socket HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
            else:
                client.sendall(f"CONNECT {echo} HTTP/1.1\r\nHost: {echo}\r\n\r\n".encode())
            head, _ = receive_head(client)
            check(head.startswith("HTTP/1.1 101 " if index % 2 else "HTTP/1.1 200 "), head)
            self.sockets.append(client)

    def talk(self, text):
        for client in self.sockets:
            client.sendall(text)
        for client in self.sockets:
            got = b""
            while len(got) < len(text):
                piece = client.recv(len(text) - len(got))
                check(piece, "a stream has ended")
                got += piece
            check(got == text, got)


def write(path, text):
    with open(path + ".new", "w") as file:
        file.write(text)
    os.rename(path + ".new", path)


def admin_of(proxy):
    return re.search(r"metrics and health on (\S+)", proxy.text)[1]


def await_line(proxy, text, count=1):
    for _ in range(1000):
        if sum(text in line for line in proxy.lines) >= count:
            return
        time.sleep(0.01)
    raise AssertionError(f"no line with {text!r}: {proxy.lines}")


def reload_commands(driver):
    """SIGHUP, `uproxy reload` and a POST to the admin listener; bad files change nothing and say why."""
    with tempfile.TemporaryDirectory() as directory, Origin() as first, Origin() as second:
        path = os.path.join(directory, "uproxy.yaml")
        good = "listeners: [{address: '127.0.0.1:0'}]\nclusters: {a: {endpoints: '%s'}}\nengine: {threads: 2}\n"
        write(path, good % first.address)
        with Proxy(driver, "--config", path) as proxy:
            await_line(proxy, "metrics and health")

            def get():
                return urllib.request.urlopen(f"{proxy.url}/a").read()

            def ask(*options):
                return subprocess.run([binary, "reload", "--admin", admin_of(proxy), *options], capture_output=True,
                                      text=True, timeout=60)

            check(get() == b"ok" and second.server.connections == 0, "the first origin")
            write(path, good % second.address)
            os.kill(proxy.pid, signal.SIGHUP)
            await_line(proxy, f"{path} reloaded: 1 listener (0 new, 0 gone), 1 endpoint (1 new, 1 gone)")
            first.server.connections = 0
            check(get() == b"ok" and second.server.connections > 0 and first.server.connections == 0, "the second origin")
            write(path, good % first.address)
            done = ask()
            check(done.returncode == 0 and "1 endpoint (1 new, 1 gone)" in done.stderr, done)
            for text, wanted in (
                ("listeners: [{address: '127.0.0.1:0'}]\nclusterz: {}\n",
                 f"{path}:2:1: clusterz: there is no such key; did you mean 'clusters'?"),
                (good.replace("threads: 2", "threads: 3") % first.address,
                 f"{path}:3:19: engine.threads: a running process cannot change it; undo the change, or start a new process"),
                (good.replace("127.0.0.1:0", second.address) % first.address, f"cannot listen on {second.address}"),
            ):
                write(path, text)
                done = ask()
                check(done.returncode == 1 and wanted in done.stderr, (wanted, done.stderr))
                check(done.stderr.endswith(f"{path} was not taken up; nothing has changed\n"), done.stderr)
                check(get() == b"ok", "as before")
                # By what is in use, not by the file as it stands there.
                told = subprocess.run([binary, "explain", "GET", "/a", "-H", "Host: h", "--running", "--admin", admin_of(proxy)],
                                      capture_output=True, text=True, timeout=60)
                check(told.returncode == 0 and first.address in told.stdout and f"{path}:2, clusters.a.endpoints" in told.stdout, told)
            check(proxy.counter("reloads_total") == 2 and proxy.counter("reloads_refused_total") == 3, "the counts")
            for headers, method, status in (({}, "GET", 405), ({"Origin": "http://evil.example"}, "POST", 403)):
                request = urllib.request.Request(
                    f"http://{admin_of(proxy)}/reload", headers=headers, method=method)
                try:
                    urllib.request.urlopen(request)
                    raise AssertionError("a reload nobody may ask for")
                except urllib.error.HTTPError as refusal:
                    check(refusal.code == status, refusal)
    with Origin() as origin, Proxy(driver, "--listen", "127.0.0.1:0", "--upstream", origin.address) as proxy:
        await_line(proxy, "metrics and health")
        done = subprocess.run([binary, "reload", "--admin", admin_of(proxy)], capture_output=True, text=True, timeout=60)
        check(done.returncode == 1 and "the process was started without --config FILE" in done.stderr, done)
        # The terminal has gone.
        os.kill(proxy.pid, signal.SIGHUP)
        await_line(proxy, "SIGHUP, draining")


def storm_configuration(round, origin, echo):
    """Around two clusters that stay, and listeners that do, everything changes."""
    names = ["still", "echo", f"other-{round % 3}"]
    if round % 2:
        names.reverse()
    endpoints = {"still": origin, "echo": echo}
    clusters = "".join(
        f"  {name}: {{endpoints: ['{endpoints.get(name, f'127.0.0.1:{1 + round % 50}')}'], balance: "
        f"{'random' if round % 2 else 'least-requests'}}}\n" for name in names)
    extra = f"  - {{address: 'unix:{{directory}}/{round % 4}', cluster: still}}\n" if round % 3 else ""
    routes = "".join(f"    - {{match: {{path: /never/{round}/{index}}}, redirect: {{to: /}}}}\n" for index in range(round % 7))
    return (
        "engine: {threads: 2}\nforward: {allow: ['127.0.0.1']}\n"
        # Full from the start: it is not to grow while memory is watched.
        "flight_recorder: {events: 1024}\n"
        f"timeouts: {{keepalive: {60 + round % 2}s}}\n"
        "listeners:\n  - {address: '127.0.0.1:0', routes: site}\n" + extra
        + "  - {address: '127.0.0.2:0', role: forward}\n"
        f"clusters:\n{clusters}routes:\n  site:\n{routes}    - {{match: {{path: /socket}}, cluster: echo}}\n    - {{cluster: still}}\n")


def reload_storm(driver, reloads=1000):
    """A thousand reloads under load, with open WebSockets and tunnels."""
    wrk = need("wrk")
    origin_process = subprocess.Popen([binary, "origin", "--listen", "127.0.0.1:0", "--threads", "1"], stderr=subprocess.PIPE, text=True)
    try:
        origin = None
        while not origin:
            origin = re.search(r"on (127\.0\.0\.1:\d+)", origin_process.stderr.readline())
        with tempfile.TemporaryDirectory() as directory:
            return storm(driver, reloads, wrk, origin[1], directory)
    finally:
        origin_process.kill()
        origin_process.wait()


def storm(driver, reloads, wrk, origin, directory):
    warm, windows = 200, 5
    echo = Echo()
    path = os.path.join(directory, "uproxy.yaml")

    def configure(round):
        write(path, storm_configuration(round, origin, echo.address).replace("{directory}", directory))

    configure(0)
    with Proxy(driver, "--config", path) as proxy:
        await_line(proxy, "metrics and health")
        forward = re.search(r"forward proxy on ([\d.]+):(\d+)", proxy.text)
        web = re.search(r"reverse proxy on ([\d.]+):(\d+)", proxy.text)
        web = (web[1], int(web[2]))

        def load(seconds):
            return subprocess.Popen(
                [wrk, "-t", "1", "-c", "32", "-d", f"{seconds}s", "--timeout", "60s", "--latency", f"http://{web[0]}:{web[1]}/size/128"],
                stdout=subprocess.PIPE, text=True)

        def figures(process):
            text = process.communicate(timeout=60)[0]
            check("Non-2xx" not in text and "Socket errors" not in text and "requests in" in text, text)
            value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", text).groups()
            return float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit], int(re.search(r"(\d+) requests in", text)[1])

        def reload(round):
            configure(round)
            ask_for_reload()

        def ask_for_reload():
            url = f"http://{admin_of(proxy)}/reload"
            urllib.request.urlopen(urllib.request.Request(url, method="POST", data=b""), timeout=30).read()

        def refused_reload(round):
            """As much work for everybody but the workers, who hear nothing of it: the last thing that is tried fails."""
            text = storm_configuration(round, origin, echo.address).replace("{directory}", directory)
            write(path, text.replace("clusters:\n", f"  - {{address: '{echo.address}', cluster: still}}\nclusters:\n", 1))
            try:
                ask_for_reload()
            except urllib.error.HTTPError as error:
                check("cannot listen on" in error.read().decode(), "another error")
            else:
                check(False, "a file whose listener cannot be opened was accepted")

        def window(act, count):
            """The load's p99 while it is done so many times."""
            under_load = load(600)
            for _ in range(count):
                act(next(rounds))
            under_load.send_signal(signal.SIGINT)
            return figures(under_load)

        streams = Streams(web, (forward[1], int(forward[2])), echo.address, 200)
        streams.talk(b"hello")
        rounds = itertools.count()
        # What an allocator keeps to itself it has after these.
        window(reload, warm)
        closed = proxy.counter("upstream_connections_closed_total")
        memory = proxy.rss()
        quiet, refused, stormy, requests = [], [], [], 0
        # In turns, as the machine is not always the same.
        for _ in range(windows):
            quiet.append(figures(load(1))[0])
            refused.append(window(refused_reload, reloads // windows)[0])
            p99, count = window(reload, reloads // windows)
            stormy.append(p99)
            requests += count
            streams.talk(b"still here")
        # The workers give back what the load needed within some seconds.
        for _ in range(100):
            grown = proxy.rss() / memory
            if grown < 1.05:
                break
            time.sleep(0.1)
        reopened = proxy.counter("upstream_connections_closed_total") - closed
        streams.talk(b"good bye")
        check(echo.accepted == 200, f"{echo.accepted} connections to the echo")
        check(reopened == 0, f"{reopened} upstream connections of clusters that stay were closed")
        check(grown < 1.05, f"memory grew by {(grown - 1) * 100:.1f} %")
        check(proxy.counter("reloads_total") == reloads + warm, "the count")
        quiet, refused, stormy = map(statistics.median, (quiet, refused, stormy))
        # What the program that asks, and the thread that reads the file, take from the workers on two CPUs is in both.
        check(refused < 5 * quiet + 20, f"p99 {refused} ms while files are refused, {quiet} ms without any")
        check(stormy < 2 * refused + 5, f"p99 {stormy} ms, {refused} ms when the files are refused, {quiet} ms without any")
        for client in streams.sockets:
            client.close()
        return f"{requests} requests, p99 {stormy:.2f} ms ({refused:.2f} while files are refused, {quiet:.2f} without any), memory {grown:.3f}"
