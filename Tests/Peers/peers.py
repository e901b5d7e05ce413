#!/usr/bin/env python3
"""Real clients and servers through the proxy: curl, nginx, git, apt-get, WebSocket, HAProxy; and what a service manager does with it.

    UPROXY=path/to/uproxy Tests/Peers/peers.py [CASE…]
"""
import base64
import contextlib
import fcntl
import functools
import hashlib
import http.server
import json
import os
import pwd
import queue
import re
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
from harness import Origin, Proxy, Skip, WebSocket, accept_key, binary, certificate, check, exchange, need, nginx, receive_head, run
from metrics import metrics, promtool
from page import page
from reloads import reload_commands, reload_storm
from upgrade import drain_delay, upgrade, upgrade_fails

loopback = ("--forward", "127.0.0.1:0", "--allow-destinations", "127.0.0.0/8")


def call(*command, **options):
    answer = subprocess.run(command, capture_output=True, timeout=60, **options)
    check(answer.returncode == 0, f"{command}: {answer.returncode} {answer.stderr.decode()}")
    return answer.stdout


def clean_environment(**more):
    kept = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
    return {**kept, **more}


def curl(driver):
    need("curl")
    environment = clean_environment()
    with Origin() as origin, Proxy(driver, *loopback) as proxy:
        base = ["curl", "-sS", "--fail", "--noproxy", "", "-x", proxy.url]
        url = f"http://{origin.address}"
        check(call(*base, f"{url}/a", env=environment) == b"ok", "absolute form")
        check(call(*base, "-p", f"{url}/a", env=environment) == b"ok", "CONNECT")
        check(call(*base, "-0", f"{url}/a", env=environment) == b"ok", "HTTP/1.0")
        check(b"200 OK" in call(*base, "-I", f"{url}/a", "-X", "GET", env=environment), "head")
        body = os.urandom(3_000_000)
        wanted = hashlib.sha256(body).hexdigest().encode()
        for options in ([], ["-H", "Transfer-Encoding: chunked"], ["-p"]):
            sent = call(*base, *options, "--data-binary", "@-", f"{url}/hash", input=body, env=environment)
            check(sent == wanted, f"upload {options}")
        # Several on one connection.
        check(call(*base, f"{url}/a", f"{url}/b", f"{url}/c", env=environment) == b"okokok", "reuse")
        closed = subprocess.run(
            ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--noproxy", "", "-x", proxy.url, "http://10.0.0.1/"],
            capture_output=True, env=environment)
        check(closed.stdout == b"403", f"denied: {closed.stdout}")
    with Origin() as origin, Proxy(driver, "--listen", "127.0.0.1:0", "--upstream", origin.address) as proxy:
        plain = ["curl", "-sS", "--fail", "--noproxy", "*"]
        check(call(*plain, proxy.url) == b"ok", "reverse")
        # curl waits for 100 Continue with bodies of over 1 MiB.
        check(call(*plain, "-H", "Expect: 100-continue", "--data-binary", "@-", f"{proxy.url}/hash", input=body) == wanted, "expect")


def nginx_origin(driver):
    with tempfile.TemporaryDirectory() as folder:
        body = os.urandom(8 << 20)
        open(f"{folder}/file", "wb").write(body)
        served = nginx(folder, lambda port: f"""gzip on; gzip_types text/plain; gzip_min_length 1;
            server {{ listen 127.0.0.1:{port}; root {folder}; keepalive_requests 7; default_type text/plain;
              location /old {{ return 301 /file; }} location /empty {{ return 204; }} }}""")
        with served as ports, Proxy(driver, "--listen", "127.0.0.1:0", "--upstream", f"127.0.0.1:{ports[0]}") as proxy:
            plain = ["curl", "-sS", "--noproxy", "*"]
            check(call(*plain, f"{proxy.url}/file") == body, "file")
            # Chunked, for gzip streams.
            check(call(*plain, "--compressed", f"{proxy.url}/file") == body, "compressed")
            check(call(*plain, "-r", "1000-1999", f"{proxy.url}/file") == body[1000:2000], "range")
            check(call(*plain, "-L", f"{proxy.url}/old") == body, "redirect")
            status = ["-o", "/dev/null", "-w", "%{http_code} "]
            # nginx ends its connections after seven requests: no request may fail for that.
            urls = []
            for _ in range(100):
                urls += [*status, f"{proxy.url}/empty"]
            check(call(*plain, *urls).split() == [b"204"] * 100, "keep-alive")
            check(call(*plain, *status, f"{proxy.url}/none").strip() == b"404", "404")
            check(b"Content-Length: 8388608" in call(*plain, "-I", f"{proxy.url}/file"), "HEAD")


def git_clone(driver):
    need("git")
    with tempfile.TemporaryDirectory() as folder:
        environment = clean_environment(
            GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1", GIT_TERMINAL_PROMPT="0", HOME=folder)
        git = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost"]
        call(*git, "init", "-q", f"{folder}/tree", env=environment)
        for number in range(20):
            open(f"{folder}/tree/f{number}", "wb").write(os.urandom(50_000))
            call(*git, "-C", f"{folder}/tree", "add", "-A", env=environment)
            call(*git, "-C", f"{folder}/tree", "commit", "-qm", f"{number}", env=environment)
        call(*git, "clone", "-q", "--bare", f"{folder}/tree", f"{folder}/served.git", env=environment)
        call(*git, "-C", f"{folder}/served.git", "update-server-info", env=environment)
        head = call(*git, "-C", f"{folder}/tree", "rev-parse", "HEAD", env=environment)

        class Files(http.server.SimpleHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()

            def log_message(self, *_):
                pass

        with Origin(functools.partial(Files, directory=folder)) as origin:
            with Proxy(driver, *loopback) as proxy:
                url = f"http://{origin.address}/served.git"
                call(*git, "-c", f"http.proxy={proxy.url}", "clone", "-q", url, f"{folder}/copy", env=environment)
                call(*git, "-C", f"{folder}/copy", "fsck", "--full", env=environment)
                copied = call(*git, "-C", f"{folder}/copy", "rev-parse", "HEAD", env=environment)
                check(copied == head, "HEAD differs")
            with Proxy(driver, "--listen", "127.0.0.1:0", "--upstream", origin.address) as proxy:
                call(*git, "clone", "-q", f"{proxy.url}/served.git", f"{folder}/second", env=environment)
                call(*git, "-C", f"{folder}/second", "fsck", "--full", env=environment)


def apt_update(driver):
    need("apt-get")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for part in ("repository", "lists/partial", "cache/archives/partial", "etc/apt.conf.d", "etc/preferences.d"):
            os.makedirs(f"{folder}/{part}")
        text = "".join(
            f"Package: sample{n}\nVersion: 1.{n}\nArchitecture: all\nMaintainer: nobody\nFilename: ./s{n}.deb\n"
            f"Size: 1\nSHA256: {'0' * 64}\nDescription: sample\n\n" for n in range(2000)).encode()
        open(f"{folder}/repository/Packages", "wb").write(text)
        digest = hashlib.sha256(text).hexdigest()
        open(f"{folder}/repository/Release", "w").write(
            f"Date: Thu, 01 Jan 2026 00:00:00 UTC\nSHA256:\n {digest} {len(text)} Packages\n")

        class Files(http.server.SimpleHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()

            def log_message(self, *_):
                pass

        with Origin(functools.partial(Files, directory=folder)) as origin, Proxy(driver, *loopback) as proxy:
            open(f"{folder}/sources.list", "w").write(
                f"deb [trusted=yes] http://{origin.address}/repository ./\n")
            options = {
                "Dir::Etc::sourcelist": f"{folder}/sources.list", "Dir::Etc::sourceparts": "-",
                "Dir::State::lists": f"{folder}/lists", "Dir::Cache": f"{folder}/cache",
                "Dir::Etc::parts": f"{folder}/etc/apt.conf.d", "APT::Sandbox::User": "", "Acquire::Languages": "none",
                "Acquire::http::Proxy": proxy.url, "APT::Get::List-Cleanup": "0", "Acquire::Retries": "0",
            }
            arguments = [part for key, value in options.items() for part in ("-o", f"{key}={value}")]
            for _ in range(2):
                # The second time conditional requests are answered with 304.
                log = call("apt-get", *arguments, "update", env=clean_environment(LANG="C"))
                check(b"Err:" not in log, log.decode())
            lists = [name for name in os.listdir(f"{folder}/lists") if "Packages" in name]
            check(len(lists) == 1, f"lists: {os.listdir(folder + '/lists')} {log.decode()}")
            # Kept compressed on some systems.
            kept = call("/usr/lib/apt/apt-helper", "cat-file", f"{folder}/lists/{lists[0]}")
            check(kept == text, "the index is not the one served")


def websocket(driver):
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            head, rest = receive_head(connection)
            fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:])
            check(fields["upgrade"] == "websocket", head)
            key = next(line.split(": ")[1] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key"))
            connection.sendall(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: " + accept_key(key).encode() + b"\r\n\r\n")
            end = WebSocket(connection, rest, masks=False)
            while True:
                opcode, data = end.receive()
                end.send(opcode, data)
                if opcode == 8:
                    connection.close()
                    break

    threading.Thread(target=serve, daemon=True).start()
    port = listener.getsockname()[1]
    try:
        for arguments, target in (
            (("--listen", "127.0.0.1:0", "--upstream", f"127.0.0.1:{port}"), "/chat"),
            (loopback, f"http://127.0.0.1:{port}/chat"),
        ):
            with Proxy(driver, *arguments) as proxy:
                client = proxy.connect()
                key = base64.b64encode(os.urandom(16)).decode()
                client.sendall(
                    f"GET {target} HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
                    f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode())
                head, rest = receive_head(client)
                check(head.startswith("HTTP/1.1 101 "), head)
                check(accept_key(key) in head, head)
                end = WebSocket(client, rest, masks=True)
                for size in (0, 1, 125, 126, 65535, 65536, 1_000_000):
                    data = os.urandom(size)
                    end.send(2, data)
                    check(end.receive() == (2, data), f"{size} bytes")
                end.send(9, b"ping")
                check(end.receive() == (9, b"ping"), "ping")
                end.send(8, struct.pack(">H", 1000))
                check(end.receive()[0] == 8, "close")
                check(client.recv(1) == b"", "the end")
                client.close()
    finally:
        listener.close()


def notify(driver):
    """Type=notify and WatchdogSec= of systemd, which the test stands for."""
    with tempfile.TemporaryDirectory() as directory, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(os.path.join(directory, "notify"))
        manager.settimeout(10)
        settings = ("env", f"NOTIFY_SOCKET={manager.getsockname()}", "WATCHDOG_USEC=400000")
        with Proxy(driver, *loopback, "--threads", "2", wrapper=settings) as proxy:
            ready = manager.recv(4096).decode().splitlines()
            check(ready[0] == "READY=1" and ready[1].startswith("STATUS=") and "; 2 threads on " in ready[1], ready)
            began = time.monotonic()
            for _ in range(5):
                check(manager.recv(4096) == b"WATCHDOG=1", "a sign of life")
            took = time.monotonic() - began
            check(0.6 < took < 3, f"five signs of life in {took:.1f} s, one each 0.2 s")
            # A worker that hangs: the other threads go on, so that the process looks alive.
            worker = next(
                int(task) for task in os.listdir(f"/proc/{proxy.pid}/task")
                if open(f"/proc/{proxy.pid}/task/{task}/comm").read() == "worker-1\n")
            with stopped(proxy.pid, worker):
                end = time.monotonic() + 20
                manager.settimeout(2)
                try:
                    while time.monotonic() < end:
                        manager.recv(4096)
                    raise AssertionError("signs of life though a worker hangs")
                except TimeoutError:
                    pass
            manager.settimeout(10)
            check(manager.recv(4096) == b"WATCHDOG=1", "a sign of life after it went on")
            os.kill(proxy.pid, signal.SIGTERM)
            while (text := manager.recv(4096).decode()) == "WATCHDOG=1":
                pass
            check(text.startswith("STOPPING=1\nSTATUS=draining") and "EXTEND_TIMEOUT_USEC=35000000" in text, text)
            check(proxy.process.wait(20) == 0, "the end")


@contextlib.contextmanager
def stopped(pid, task):
    """Holds one thread of a process: SIGSTOP would hold them all, the freezer of a debugger does not."""
    tracer = subprocess.Popen(["strace", "-qq", "-o", "/dev/null", "-e", "inject=all:delay_enter=3600s", "-p", str(task)])
    try:
        yield
    finally:
        tracer.kill()
        tracer.wait()


PASS_ON = """
import os, sys
count = int(sys.argv[1])
for index, number in enumerate(map(int, sys.argv[2:2 + count])):
    os.dup2(number, 3 + index)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(count), LISTEN_FDNAMES=":".join(["http"] * count))
os.execv(sys.argv[2 + count], sys.argv[2 + count:])
"""


def socket_activation(driver):
    """Sockets that are handed over listen while no proxy runs: who connects meanwhile is served by the next one."""
    sockets = []
    for _ in range(2):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        one.bind(sockets[0].getsockname() if sockets else ("127.0.0.1", 0))
        one.listen(64)
        sockets.append(one)
    try:
        with Origin() as origin:
            for chosen in (sockets, sockets[:1]):
                # From 10 on: the first numbers are where they go to.
                numbers = [fcntl.fcntl(one, fcntl.F_DUPFD, 10) for one in chosen]
                wrapper = (sys.executable, "-c", PASS_ON, str(len(numbers)), *map(str, numbers))
                if len(chosen) == 1:
                    sockets[1].close()
                waiting = []
                for _ in range(16):
                    client = socket.create_connection(sockets[0].getsockname(), 10)
                    client.sendall(b"GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                    waiting.append(client)
                with Proxy(driver, "--listen", "fd:http", "--upstream", origin.address, "--threads", "2",
                           wrapper=wrapper, pass_fds=numbers) as proxy:
                    check("(inherited)" in proxy.text, proxy.text)
                    for client in waiting:
                        check(receive_head(client)[0].startswith("HTTP/1.1 200 "), "served though it came before")
                        client.close()
                for number in numbers:
                    os.close(number)
        refused = Proxy(driver, "--listen", "fd:http", "--upstream", "127.0.0.1:1", expect_start=False)
        text = refused.process.stderr.read().decode()
        check(refused.process.wait(20) == 1 and "the service manager passed no such socket (none was passed)" in text, text)
    finally:
        for one in sockets:
            one.close()


def configuration(driver):
    """check, print, schema and explain, as a shell sees them; and a proxy that a file describes."""
    examples = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "Examples")
    for name in sorted(os.listdir(examples)):
        path = os.path.join(examples, name)
        check(call(binary, "check", path) == f"{path}: the configuration can work\n".encode(), name)
        printed = call(binary, "config", "print", "--config", path)
        with tempfile.NamedTemporaryFile(suffix=".yaml") as copy:
            copy.write(printed)
            copy.flush()
            again = call(binary, "config", "print", "--config", copy.name)
            values = lambda text: [line.split(b"  #")[0] for line in text.splitlines()]
            check(values(again) == values(printed), f"{name} is the same when it is printed and read again")
    schema = json.loads(call(binary, "config", "schema"))
    check(set(schema["properties"]) >= {"include", "listeners", "routes", "clusters", "timeouts"}, "the schema")
    edge = os.path.join(examples, "edge.yaml")
    told = call(binary, "explain", "GET", "http://example.org/users/7?a", "--from", "192.0.2.1", "--config", edge).decode()
    line = 1 + open(edge).read().splitlines().index('    - match: {host: *site, path: "/users/{id}"}')
    check(f"edge.yaml:{line}, routes.site[3]" in told and "301 to https://example.org/people/7?a" in told, told)
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as bad:
        bad.write("timeouts:\n  haed: 1s\n")
        bad.flush()
        for command in (("check", bad.name), ("--config", bad.name)):
            done = subprocess.run([binary, *command], capture_output=True, text=True, timeout=60)
            check(done.returncode == 78, f"status {done.returncode}")
            check(done.stderr == f"uproxy: {bad.name}:2:3: timeouts.haed: there is no such key; did you mean 'head'?\n",
                  done.stderr)
    with tempfile.TemporaryDirectory() as directory, Origin() as origin:
        path = os.path.join(directory, "uproxy.yaml")
        with open(path, "w") as file:
            file.write("listeners: [{address: '127.0.0.1:0'}]\nclusters: {a: {endpoints: '${ORIGIN}'}}\n")
        with Proxy(driver, "--config", path, wrapper=("env", f"ORIGIN={origin.address}")) as proxy:
            check(call("curl", "-sS", "--noproxy", "*", f"{proxy.url}/a") == b"ok", "a file's proxy")


def privileges(driver):
    """A port below 1024 is opened as root, and requests are served as nobody."""
    if os.geteuid() != 0:
        raise Skip("only root can become another user")
    user = pwd.getpwnam("nobody")
    with tempfile.TemporaryDirectory() as directory, Origin() as origin:
        os.chmod(directory, 0o777)
        path = os.path.join(directory, "proxy")
        for port in range(1023, 600, -1):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) != 0:
                    break
        with Proxy(driver, "--listen", f"127.0.0.1:{port}", "--listen", f"unix:{path}", "--upstream", origin.address,
                   "--threads", "2", "--user", "nobody") as proxy:
            tasks = os.listdir(f"/proc/{proxy.pid}/task")
            for task in tasks:
                status = open(f"/proc/{proxy.pid}/task/{task}/status").read()
                check(f"Uid:\t{user.pw_uid}\t{user.pw_uid}\t{user.pw_uid}\t{user.pw_uid}\n" in status, status)
                check("CapEff:\t0000000000000000\n" in status, status)
            check(call("curl", "-sS", "--noproxy", "*", f"http://127.0.0.1:{port}/a") == b"ok", "a low port")
            check(call("curl", "-sS", "--noproxy", "*", "--unix-socket", path, "http://h/a") == b"ok", "a unix socket")
            check(os.stat(path).st_uid == user.pw_uid, "the socket's owner")
        check(not os.path.exists(path), "the socket is removed")
    refused = Proxy(driver, "--listen", "127.0.0.1:0", "--upstream", "127.0.0.1:1", "--user", "nobody-at-all",
                    expect_start=False)
    text = refused.process.stderr.read().decode()
    check(refused.process.wait(20) == 1 and "there is no such user" in text, text)


class Hops(http.server.BaseHTTPRequestHandler):
    """Answers with what X-Forwarded-For says."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        body = (self.headers.get("X-Forwarded-For") or "nobody").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class HAProxy:
    """Between `bind` and `server`, with what stands behind each of the two."""

    def __init__(self, bind, server):
        program = need("haproxy")
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.folder = tempfile.TemporaryDirectory()
        open(f"{self.folder.name}/cfg", "w").write(
            f"""global
              maxconn 100
            defaults
              mode http
              timeout connect 5s
              timeout client 10s
              timeout server 10s
            frontend f
              bind 127.0.0.1:{self.port} {bind}
              option forwardfor
              default_backend b
            backend b
              server s {server}
            """.rstrip() + "\n")
        self.process = subprocess.Popen(
            [program, "-db", "-f", f"{self.folder.name}/cfg"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                break
            except OSError:
                time.sleep(0.02)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()


def proxy_protocol_in(driver):
    need("curl")
    plain = ["curl", "-sS", "--fail", "--noproxy", "*"]
    with Origin(Hops) as origin:
        with Proxy(
            driver, "--listen", "127.0.0.1:0", "--upstream", origin.address, "--x-forwarded", "replace",
            "--proxy-protocol", "require", "--proxy-protocol-from", "127.0.0.0/8",
        ) as proxy:
            # curl's own header is of version 1 and tells its own addresses.
            check(call(*plain, "--haproxy-protocol", proxy.url) == b"127.0.0.1", "curl")
            check(call(*plain, "--haproxy-protocol", proxy.url, proxy.url) == b"127.0.0.1" * 2, "curl, kept alive")
            refused = subprocess.run([*plain, proxy.url], capture_output=True)
            check(refused.returncode in (52, 56), f"without a header: {refused}")
            address = f"127.0.0.1:{proxy.address[1]}"
            for options in (
                "send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c",
                # Its health checks are LOCAL.
                "send-proxy-v2 check inter 100ms",
            ):
                # A sender that takes the header too: whom it names is passed on.
                with HAProxy("accept-proxy", f"{address} {options}") as sender:
                    client = socket.create_connection(("127.0.0.1", sender.port))
                    client.sendall(b"PROXY TCP4 192.0.2.7 198.51.100.9 4711 443\r\n")
                    head, body = exchange(client)
                    check(body == b"192.0.2.7", f"{options}: {head} {body}")
                    client.close()
                    if "check" in options:
                        time.sleep(0.5)
            check(proxy.counter("proxy_headers_refused_total") == 1, "refused without cause")


def proxy_protocol_out(driver):
    need("curl")
    plain = ["curl", "-sS", "--fail", "--noproxy", "*"]
    with Origin(Hops) as origin, HAProxy("accept-proxy", origin.address) as receiver:
        for version in ("v1", "v2"):
            with Proxy(
                driver, "--listen", "127.0.0.1:0", "--upstream", f"127.0.0.1:{receiver.port}", "--x-forwarded", "off",
                "--upstream-proxy-protocol", version, "--proxy-protocol", "require",
            ) as proxy:
                for source, family in (("192.0.2.7", "TCP4"), ("2001:db8::7", "TCP6")):
                    client = proxy.connect()
                    client.sendall(f"PROXY {family} {source} {source} 1 2\r\n".encode())
                    for _ in range(3):
                        _, body = exchange(client)
                        check(body == source.encode(), f"{version}: {body}")
                    client.close()


def proxy_protocol_extensions(driver):
    """HAProxy tells whom the header says that was asked for: of TLS that ends here, and of TLS that is passed on to it."""
    need("curl")
    told = "127.0.0.1:9\n http-request return status 200 content-type text/plain lf-string %[fc_pp_authority]-%[src]"
    with tempfile.TemporaryDirectory() as folder:
        certificate(folder, "example.org", "-addext", "subjectAltName=DNS:*.example.org")
        both = f"{folder}/both.pem"
        open(both, "w").write("".join(open(f"{folder}/example.org.{kind}").read() for kind in ("pem", "key")))
        with HAProxy("accept-proxy", told) as plain, HAProxy(f"accept-proxy ssl crt {both}", told) as secure:
            path = f"{folder}/uproxy.yaml"
            open(path, "w").write(
                f"""listeners:
  - {{address: "127.0.0.1:0", cluster: plain, tls: {{certificates: [{{cert: example.org.pem, key: example.org.key}}]}}}}
  - {{address: "127.0.0.1:0", role: tcp, sni: [{{names: "*.example.org", cluster: secure}}]}}
clusters: {{plain: {{endpoints: "127.0.0.1:{plain.port}"}}, secure: {{endpoints: "127.0.0.1:{secure.port}"}}}}
trust: {{upstream_proxy_protocol: v2, upstream_proxy_tlvs: [authority, alpn, ssl, cert-cn, ssl-cipher, crc32c], proxy_protocol: require}}
""")
            with Proxy(driver, "--config", path) as proxy:
                ports = re.findall(r" on 127\.0\.0\.1:(\d+) \(TLS\)| on 127\.0\.0\.1:(\d+),", proxy.text)
                for port in [first or second for first, second in ports]:
                    said = call(
                        "curl", "-sS", "--fail", "--noproxy", "*", "--haproxy-protocol", "--cacert", f"{folder}/example.org.pem",
                        "--connect-to", f"a.example.org:443:127.0.0.1:{port}", "https://a.example.org/")
                    check(said == b"a.example.org-127.0.0.1", f"{port}: {said}")
                check(len(ports) == 2, proxy.text)


def parent(driver):
    """curl through two proxies, the second of which has the say."""
    need("curl")
    environment = clean_environment()
    with Origin() as origin, tempfile.TemporaryDirectory() as directory:
        with Proxy(driver, *loopback, "--deny-destinations", "127.0.0.2/32") as behind:
            path = os.path.join(directory, "uproxy.yaml")
            with open(path, "w") as file:
                file.write(
                    "listeners: [{address: '127.0.0.1:0', role: forward}]\n"
                    f"clusters: {{up: {{endpoints: '{behind.address[0]}:{behind.address[1]}'}}}}\n"
                    "forward: {parent: up, allow: ['127.0.0.0/8'], direct: 'localhost'}\n")
            with Proxy(driver, "--config", path) as proxy:
                base = ["curl", "-sS", "--noproxy", "", "-x", proxy.url]
                body = os.urandom(3_000_000)
                wanted = hashlib.sha256(body).hexdigest().encode()
                for options in ([], ["-p"], ["-H", "Transfer-Encoding: chunked"]):
                    url = f"http://{origin.address}"
                    check(call(*base, *options, f"{url}/a", f"{url}/b", env=environment) == b"okok", f"{options}")
                    sent = call(*base, *options, "--data-binary", "@-", f"{url}/hash", input=body, env=environment)
                    check(sent == wanted, f"upload {options}")
                check(proxy.counter("tunnels_opened_total") == behind.counter("tunnels_opened_total") > 0, "tunnels")
                # The parent's policy, not ours, refuses this one.
                refused = subprocess.run(
                    [*base, "-p", "-o", "/dev/null", "-w", "%{http_connect}", f"http://127.0.0.2:{origin.port}/"],
                    capture_output=True, env=environment)
                check(refused.stdout == b"403", f"{refused}")
                requests = behind.counter("requests_total")
                check(call(*base, f"http://localhost:{origin.port}/a", env=environment) == b"ok", "direct")
                check(behind.counter("requests_total") == requests, "without the parent")


def half_made_start(driver):
    """Locked memory for the rings of some workers: all of them start again on epoll, and on listeners that still listen."""
    if os.geteuid() != 0:
        raise Skip("only an unprivileged user is held to the limit, and only root can become one")
    with tempfile.TemporaryDirectory() as directory, Origin() as origin:
        os.chmod(directory, 0o777)
        path = os.path.join(directory, "proxy")
        with Proxy(None, "--listen", "127.0.0.1:0", "--listen", f"unix:{path}", "--upstream", origin.address,
                   "--threads", "4", "--user", "nobody", "--limit-connections", "100",
                   wrapper=(need("prlimit"), "--memlock=1000000:1000000")) as proxy:
            check(" on epoll (not enough lockable memory" in proxy.text, proxy.text)
            check(call("curl", "-sS", "-m", "5", "--noproxy", "*", "--unix-socket", path, "http://h/a") == b"ok", "unix")
            for _ in range(16):
                check(call("curl", "-sS", "-m", "5", "--noproxy", "*", f"{proxy.url}/a") == b"ok", "tcp")


half_made_start.drivers = ["auto"]


def access(driver):
    """curl is asked for credentials, by an origin and by a proxy, and told when it comes too often."""
    plain = ["curl", "-sS", "--noproxy", "*", "-o", "/dev/null", "-w", "%{http_code}"]
    status = lambda *command: subprocess.run(command, capture_output=True, timeout=60, env=clean_environment()).stdout
    with tempfile.TemporaryDirectory() as directory, Origin() as origin:
        hashed = call(need("openssl"), "passwd", "-6", "se cret").decode()
        for name, text in (("users", f"ann:{hashed}"), ("tokens", f"ci:{hashlib.sha256(b'token').hexdigest()}\n"),
                           ("blocked", "192.0.2.0/24 # far\n")):
            with open(os.path.join(directory, name), "w") as file:
                file.write(text)
        path = os.path.join(directory, "uproxy.yaml")
        with open(path, "w") as file:
            file.write(f"""
authentication: {{staff: {{users_file: users, tokens_file: tokens}}}}
rate_limits: {{few: {{rate: 2/d}}}}
address_sets: {{blocked: "file:blocked"}}
listeners:
  - {{address: "127.0.0.1:0", routes: s, authentication: staff, deny: blocked}}
  - {{address: "127.0.0.1:0", role: forward, authentication: staff}}
routes:
  s:
    - {{match: {{path: /few}}, cluster: a, rate_limit: few, authentication: off}}
    - {{match: {{path: /far}}, cluster: a, allow: blocked}}
    - {{cluster: a}}
clusters: {{a: {{endpoints: "{origin.address}"}}}}
forward: {{allow: 127.0.0.0/8}}
""")
        with Proxy(driver, "--config", path) as proxy:
            url, forward = (f"http://{address}" for address in re.findall(r" proxy on ([\d.]+:\d+)", proxy.text))
            for options, expected in (((), b"401"), (("-u", "ann:se cret"), b"200"), (("-u", "ann:secret"), b"401"),
                                      (("--oauth2-bearer", "token"), b"200"), (("--anyauth", "-u", "ann:se cret"), b"200")):
                check(status(*plain, *options, f"{url}/a") == expected, f"reverse {options}")
            check(status(*plain, "-u", "ann:se cret", f"{url}/far") == b"403", "an address")
            check([status(*plain, f"{url}/few") for _ in range(3)] == [b"200", b"200", b"429"], "a rate")
            through = ["curl", "-sS", "--noproxy", "", "-x", forward, "-o", "/dev/null", "-w", "%{http_code}%{http_connect}"]
            for options, expected in (((), b"407000"), (("-U", "ann:se cret"), b"200000"), (("-p",), b"000407"),
                                      (("-p", "-U", "ann:se cret"), b"200200"),
                                      (("-p", "--proxy-anyauth", "-U", "ann:se cret"), b"200200")):
                check(status(*through, *options, f"http://{origin.address}/a") == expected, f"forward {options}")


def tls(driver):
    """curl and OpenSSL's own client over TLS: to a reverse proxy, to a forward proxy and through its tunnels."""
    plain = ["curl", "-sS", "--fail", "--noproxy", "*"]
    with tempfile.TemporaryDirectory() as directory, Origin() as origin:
        for kind, options in (("rsa", ("rsa:2048",)), ("ecdsa", ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"))):
            certificate(directory, kind, "-addext", "subjectAltName=DNS:localhost,DNS:*.example.org", key=options)
        path = os.path.join(directory, "uproxy.yaml")
        with open(path, "w") as file:
            file.write(f"""
listeners:
  - address: "127.0.0.1:0"
    tls: &tls {{certificates: [{{cert: rsa.pem, key: rsa.key}}, {{cert: ecdsa.pem, key: ecdsa.key}}]}}
  - {{address: "127.0.0.1:0", role: forward, tls: *tls}}
clusters: {{a: {{endpoints: "{origin.address}"}}}}
forward: {{allow: 127.0.0.0/8}}
""")
        trusted = os.path.join(directory, "roots.pem")
        with open(trusted, "w") as file:
            file.write("".join(open(f"{directory}/{kind}.pem").read() for kind in ("rsa", "ecdsa")))
        with Proxy(driver, "--config", path) as proxy:
            ports = re.findall(r" proxy on [\d.]+:(\d+)", proxy.text)
            url, forward = (f"https://localhost:{port}" for port in ports)
            safe = [*plain, "-4", "--cacert", trusted]
            body = os.urandom(3_000_000)
            wanted = hashlib.sha256(body).hexdigest().encode()
            for options in (["--tlsv1.3"], ["--tls-max", "1.2"],
                            ["--tls-max", "1.2", "--ciphers", "ECDHE-RSA-AES128-GCM-SHA256"],
                            ["--tls-max", "1.2", "--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256"], ["--http1.0"]):
                check(call(*safe, *options, f"{url}/a", f"{url}/b") == b"okok", f"{options}")
                check(call(*safe, *options, "--data-binary", "@-", f"{url}/hash", input=body) == wanted, f"body {options}")
            named = ["--connect-to", f"a.example.org:443:127.0.0.1:{ports[0]}", "https://a.example.org/a"]
            check(call(*safe, *named) == b"ok", "a wildcard")
            through = ["curl", "-sS", "--fail", "--noproxy", "", "-4", "--proxy-cacert", trusted, "-x", forward]
            environment = clean_environment()
            target = f"http://{origin.address}"
            check(call(*through, f"{target}/a", env=environment) == b"ok", "forward")
            check(call(*through, "-p", "--data-binary", "@-", f"{target}/hash", input=body, env=environment) == wanted, "CONNECT")
            # TLS inside TLS.
            inside = ["-p", "--cacert", trusted, f"{url.replace('localhost', '127.0.0.1')}/a", "-k"]
            check(call(*through, *inside, env=environment) == b"ok", "TLS inside TLS")
            client = ["openssl", "s_client", "-connect", f"127.0.0.1:{ports[0]}", "-servername", "localhost", "-CAfile", trusted]
            said = call(*client, "-alpn", "http/1.1", "-quiet",
                        input=b"GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            check(said.endswith(b"ok"), f"s_client: {said}")
            session = os.path.join(directory, "session")
            ask = b"GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            call(*client, "-ign_eof", "-sess_out", session, input=ask)
            check(b"Reused" in call(*client, "-ign_eof", "-sess_in", session, input=ask), "a session")
            check(proxy.counter("tls_handshakes_resumed_total") >= 1, "a session is counted")
            check(proxy.counter("tls_errors_total") == 0, "errors")


def tls_certificates(driver):
    """OpenSSL's authority, responder and client, and curl: certificates of clients, stapled responses, files that change, a key log."""
    openssl = need("openssl")
    with tempfile.TemporaryDirectory() as directory, Origin() as origin:
        def path(name):
            return os.path.join(directory, name)

        def sign(name, *options):
            certificate(directory, name, "-CA", path("ca.pem"), "-CAkey", path("ca.key"), "-addext", "basicConstraints=CA:FALSE", *options)

        def staple():
            with open(path("index"), "w") as file:
                serial = call(openssl, "x509", "-in", path("localhost.pem"), "-noout", "-serial").decode().strip().split("=")[1]
                file.write(f"V\t991231235959Z\t\t{serial}\tunknown\t/CN=localhost\n")
            call(openssl, "ocsp", "-index", path("index"), "-CA", path("ca.pem"), "-rsigner", path("ca.pem"), "-rkey", path("ca.key"),
                 "-issuer", path("ca.pem"), "-cert", path("localhost.pem"), "-ndays", "1", "-respout", path("ocsp.der"))

        certificate(directory, "ca")
        sign("localhost", "-addext", "subjectAltName=DNS:localhost")
        sign("ann")
        certificate(directory, "mallory")
        staple()
        with open(path("uproxy.yaml"), "w") as file:
            file.write(f"""
listeners:
  - address: "127.0.0.1:0"
    routes: site
    tls:
      certificates: [{{cert: localhost.pem, key: localhost.key, ocsp: ocsp.der}}]
      client_certificates: {{ca: ca.pem, mode: optional}}
routes:
  site:
    - match: {{path: /who}}
      respond: {{}}
      response: {{set: {{X-Who: "<{{client_cert:subject}}> {{client_cert:verified}}"}}}}
    - cluster: a
clusters: {{a: {{endpoints: "{origin.address}"}}}}
""")
        wrapper = ["env", f"SSLKEYLOGFILE={path('keys')}"]
        with Proxy(driver, "--config", path("uproxy.yaml"), wrapper=wrapper) as proxy:
            check("WARNING: the keys of all TLS sessions are written to" in proxy.text, "the warning")
            port = proxy.address[1]
            plain = ["curl", "-sS", "--noproxy", "*", "-4", "--cacert", path("ca.pem")]
            who = [*plain, "-o", "/dev/null", "-w", "%header{x-who}", f"https://localhost:{port}/who"]
            for version in ("--tlsv1.3", "--tls-max=1.2"):
                version = version.split("=")
                known = ["--cert", path("ann.pem"), "--key", path("ann.key")]
                check(call(*who, *version, *known) == b"<CN=ann> yes", "a certificate")
                check(call(*who, *version) == b"<> no", "none")
                wrong = ["--cert", path("mallory.pem"), "--key", path("mallory.key")]
                check(subprocess.run([*who, *version, *wrong], capture_output=True).returncode != 0, "a wrong one")
            check(proxy.counter("tls_client_certificates_unknown_total") == 2, "it is counted")
            client = [openssl, "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", path("ca.pem"), "-status"]

            def shown():
                said = call(*client, input=b"").decode()
                return re.search(r"Serial Number: (\w+)", said), "Cert Status: good" in said

            before, is_good = shown()
            check(before and is_good, "a stapled response")
            sign("localhost", "-addext", "subjectAltName=DNS:localhost")
            staple()
            deadline = time.monotonic() + 10
            while shown()[0][1] == before[1]:
                check(time.monotonic() < deadline, f"the new certificate is shown: {proxy.text}")
                time.sleep(0.05)
            check(shown()[1], "with its response")
            check(call(*plain, f"https://localhost:{port}/a") == b"ok", "curl takes it")
            with open(path("keys")) as file:
                check("SERVER_TRAFFIC_SECRET_0 " in file.read(), "the keys")
            check(os.stat(path("keys")).st_mode & 0o77 == 0, "they are their owner's alone")


def http2(driver):
    """curl, nghttp and h2load in HTTP/2, over TLS and without."""
    with tempfile.TemporaryDirectory() as directory, Origin() as origin:
        certificate(directory, "localhost", "-addext", "subjectAltName=DNS:localhost")
        path = os.path.join(directory, "uproxy.yaml")
        with open(path, "w") as file:
            file.write(f"""
listeners:
  - {{address: "127.0.0.1:0", tls: {{certificates: [{{cert: localhost.pem, key: localhost.key}}]}}}}
  - {{address: "127.0.0.1:0"}}
clusters: {{a: {{endpoints: "{origin.address}"}}}}
""")
        with Proxy(driver, "--config", path) as proxy:
            ports = re.findall(r" proxy on [\d.]+:(\d+)", proxy.text)
            body = os.urandom(3_000_000)
            wanted = hashlib.sha256(body).hexdigest().encode()
            plain = ["curl", "-sS", "--fail", "--noproxy", "*", "-4"]
            for url, options in ((f"https://localhost:{ports[0]}", ["--http2", "--cacert", f"{directory}/localhost.pem"]),
                                 (f"http://localhost:{ports[1]}", ["--http2-prior-knowledge"])):
                ask = [*plain, *options]
                said = call(*ask, "-w", "%{http_version} ", f"{url}/a")
                check(said == b"ok2 ", f"{url}: {said}")
                check(call(*ask, "--data-binary", "@-", f"{url}/hash", input=body) == wanted, f"a body to {url}")
                check(call(*ask, "-X", "POST", "-T", "-", f"{url}/hash", input=body) == wanted, f"a body of unknown length to {url}")
                # curl 7.88 cannot send a second request on a connection that it began without TLS.
                if "--http2" in options:
                    many = call(*ask, "--parallel", "--parallel-max", "20", f"{url}/[1-100]")
                    check(many == b"ok" * 100, f"100 requests at once: {many}")
                said = call(need("nghttp"), "-n", "-v", "-m", "20", f"{url}/a").decode()
                check(said.count(":status: 200") == 20, f"nghttp: {said}")
                said = call(need("h2load"), "-n", "2000", "-c", "4", "-m", "32", f"{url}/a").decode()
                check("2000 succeeded, 0 failed, 0 errored" in said, f"h2load: {said}")
            for counter in ("http2_stream_errors_total", "http2_connection_errors_total", "http2_streams_refused_total",
                            "http2_floods_total"):
                check(proxy.counter(counter) == 0, counter)
            check(proxy.counter("http2_streams_total") >= 2 * 2000 + 100, "streams are counted")


def tls_origin(driver):
    """nginx over TLS behind the proxy, in both versions: its connections are kept, end, and are taken up again."""
    def servers(*ports):
        return "ssl_certificate origin.pem; ssl_certificate_key origin.key; ssl_session_cache shared:s:1m; " + "".join(
            f"server {{ listen 127.0.0.1:{port} ssl; ssl_protocols {version}; root {folder}; keepalive_requests 7; }} "
            for port, version in zip(ports, ("TLSv1.2", "TLSv1.3")))

    with tempfile.TemporaryDirectory() as folder:
        body = os.urandom(4 << 20)
        open(f"{folder}/file", "wb").write(body)
        certificate(folder, "origin", "-addext", "subjectAltName=DNS:origin.example,IP:127.0.0.1")
        with nginx(folder, servers, 2) as ports:
            path = f"{folder}/uproxy.yaml"
            open(path, "w").write(
                f"""listeners: [{{address: "127.0.0.1:0", cluster: a}}, {{address: "127.0.0.1:0", cluster: b}}, {{address: "127.0.0.1:0", cluster: c}}]
clusters:
  a: {{endpoints: "127.0.0.1:{ports[0]}", tls: {{ca: origin.pem}}}}
  b: {{endpoints: "127.0.0.1:{ports[1]}", tls: {{ca: origin.pem, server_name: origin.example}}}}
  c: {{endpoints: "127.0.0.1:{ports[1]}", tls: {{ca: origin.pem, server_name: other.example}}}}
""")
            with Proxy(driver, "--config", path) as proxy:
                plain = ["curl", "-sS", "--noproxy", "*"]
                urls = [f"http://{address}" for address in re.findall(r" proxy on ([\d.]+:\d+)", proxy.text)]
                for url in urls[:2]:
                    # Each connection ends after seven requests.
                    for _ in range(10):
                        check(call(*plain, f"{url}/file", f"{url}/file") == body + body, "file")
                check(proxy.counter("upstream_tls_handshakes_resumed_total") >= 2, "sessions are taken up again")
                check(proxy.counter("tls_errors_total") == 0 and proxy.counter("tls_truncated_total") == 0, "errors")
                said = call(*plain, f"{urls[2]}/file")
                check(said == b"the upstream's certificate is for another host\n", said)


@contextlib.contextmanager
def serving(*command):
    """A server that serves until the block ends, on a port that it is given, or tells in its first line."""
    probe = socket.create_server(("127.0.0.1", 0))
    port = probe.getsockname()[1]
    probe.close()
    server = subprocess.Popen([part.replace("PORT", str(port)) for part in command], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    try:
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.02)
        yield port
    finally:
        server.kill()
        server.wait()


def versions(driver):
    """Each version of HTTP downstream, in clear and over TLS, with each of them upstream: bodies are exact both ways."""
    with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
        certificate(directory, "localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        pem, key = f"{directory}/localhost.pem", f"{directory}/localhost.key"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem, key)
        plain, secure = stack.enter_context(Origin()), stack.enter_context(Origin(tls=context))
        echo = [need("nghttpd"), "--echo-upload", "-a", "127.0.0.1"]
        ports = [stack.enter_context(serving(*echo, "--no-tls", "PORT")), stack.enter_context(serving(*echo, "PORT", key, pem))]
        path = f"{directory}/uproxy.yaml"
        tls = "tls: {certificates: [{cert: localhost.pem, key: localhost.key}]}"
        with open(path, "w") as file:
            file.write(f"""
listeners:
  - {{address: "127.0.0.1:0", routes: r}}
  - {{address: "127.0.0.1:0", routes: r, {tls}}}
routes:
  r:
    - {{match: {{path: /0/*}}, cluster: u0}}
    - {{match: {{path: /1/*}}, cluster: u1}}
    - {{match: {{path: /2/*}}, cluster: u2}}
    - {{match: {{path: /3/*}}, cluster: u3}}
clusters:
  u0: {{endpoints: "{plain.address}"}}
  u1: {{endpoints: "{secure.address}", tls: {{ca: localhost.pem}}}}
  u2: {{endpoints: "127.0.0.1:{ports[0]}", http2: "on"}}
  u3: {{endpoints: "127.0.0.1:{ports[1]}", http2: auto, tls: {{ca: localhost.pem}}}}
""")
        with Proxy(driver, "--config", path) as proxy:
            clear, over_tls = re.findall(r" proxy on [\d.]+:(\d+)", proxy.text)
            body = os.urandom(2_000_000)
            digest = hashlib.sha256(body).hexdigest().encode()
            for url, options in ((f"http://localhost:{clear}", ["--http1.1"]), (f"https://localhost:{over_tls}", ["--http1.1"]),
                                 (f"http://localhost:{clear}", ["--http2-prior-knowledge"]),
                                 (f"https://localhost:{over_tls}", ["--http2"])):
                for upstream in range(4):
                    ask = ["curl", "-sS", "--fail", "--noproxy", "*", "-4", "--cacert", pem, *options]
                    target, wanted = f"{url}/{upstream}/a", body if upstream >= 2 else digest
                    check(call(*ask, "--data-binary", "@-", target, input=body) == wanted, f"{options} {target}")
                    check(call(*ask, "-X", "POST", "-T", "-", target, input=body) == wanted, f"chunks {options} {target}")
            check(proxy.counter("http2_upstream_connections_total") <= 4, "connections of HTTP/2 are kept")
            check(proxy.counter("http2_upstream_streams_total") == 16, "streams")
            check(proxy.counter("http2_upstream_errors_total") == 0, "errors")


PAGE = b"""<!doctype html><script>
let said = "";
const say = text => said += text + "\\n";
async function run() {
  const bodies = await Promise.all([...Array(30).keys()].map(i => fetch("/bytes?" + i).then(r => r.arrayBuffer())));
  say("bytes " + bodies.reduce((sum, body) => sum + body.byteLength, 0));
  const blob = new Uint8Array(1000000).map((_, i) => i * 7);
  const sent = await fetch("/hash", {method: "POST", body: blob}).then(r => r.text());
  const hash = [...new Uint8Array(await crypto.subtle.digest("SHA-256", blob))].map(b => b.toString(16).padStart(2, "0")).join("");
  say("upload " + (sent === hash));
  say("protocols " + [...new Set(performance.getEntriesByType("resource").map(e => e.nextHopProtocol))].sort().join());
  const socket = new WebSocket("wss://" + location.host + "/ws");
  socket.onmessage = event => { say("socket " + event.data); socket.close(1000); };
  socket.onopen = () => socket.send("hello");
  await new Promise(done => { socket.onclose = event => { say("closed " + event.code); done(); }; });
  say("done");
}
run().catch(error => say("failed " + error)).finally(() => fetch("/said", {method: "POST", body: said}));
</script>"""


def browser(driver):
    """Chromium in HTTP/2 over TLS: a page, requests at once, an upload, and a WebSocket, which goes in a stream."""
    if not shutil.which("chromium"):
        raise Skip("there is no chromium here (apt-get install chromium)")
    said = queue.Queue()

    class Site(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def answer(self, body, kind="application/octet-stream"):
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            if self.headers.get("Upgrade", "").lower() == "websocket":
                key = accept_key(self.headers["Sec-WebSocket-Key"])
                self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                 b"Sec-WebSocket-Accept: " + key.encode() + b"\r\n\r\n")
                end = WebSocket(self.connection, b"", masks=False)
                opcode = 0
                while opcode != 8:
                    opcode, data = end.receive()
                    end.send(opcode, data)
                self.close_connection = True
            else:
                is_page = self.path == "/"
                self.answer(PAGE if is_page else bytes(50_000), "text/html" if is_page else "application/octet-stream")

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(hashlib.sha256(body).hexdigest().encode())
            if self.path == "/said":
                said.put(body.decode())

    with tempfile.TemporaryDirectory() as directory, Origin(Site) as origin:
        certificate(directory, "localhost", "-addext", "subjectAltName=DNS:localhost")
        path = f"{directory}/uproxy.yaml"
        with open(path, "w") as file:
            file.write(f"""
listeners: [{{address: "127.0.0.1:0", tls: {{certificates: [{{cert: localhost.pem, key: localhost.key}}]}}}}]
clusters: {{a: {{endpoints: "{origin.address}"}}}}
""")
        with Proxy(driver, "--config", path) as proxy:
            port = re.search(r" proxy on [\d.]+:(\d+)", proxy.text)[1]
            chromium = subprocess.Popen(
                ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--ignore-certificate-errors",
                 f"--user-data-dir={directory}/profile", "--remote-debugging-port=0", f"https://localhost:{port}/"],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                words = said.get(timeout=60)
            finally:
                chromium.terminate()
                chromium.wait()
            check(words == "bytes 1500000\nupload true\nprotocols h2\nsocket hello\nclosed 1000\ndone\n", words)
            check(proxy.counter("http2_connections_total") > 0 and proxy.counter("http2_streams_total") >= 33, "streams")
            check(proxy.counter("tunnels_opened_total") == 1, "the WebSocket is a tunnel")
            check(proxy.counter("http2_stream_errors_total") == 0, "errors")


def grpc(driver):
    """All kinds of gRPC call, by grpcio on both sides, in clear and over TLS."""
    # The distribution's Python, which has its grpcio.
    calls = ["/usr/bin/python3", os.path.join(os.path.dirname(os.path.abspath(__file__)), "grpc_calls.py")]
    with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
        certificate(directory, "localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        pem, key = f"{directory}/localhost.pem", f"{directory}/localhost.key"
        ports = [stack.enter_context(serving(*calls, "serve", "PORT")),
                 stack.enter_context(serving(*calls, "serve", "PORT", pem, key))]
        path = f"{directory}/uproxy.yaml"
        tls = "tls: {certificates: [{cert: localhost.pem, key: localhost.key}]}"
        with open(path, "w") as file:
            file.write(f"""
listeners:
  - {{address: "127.0.0.1:0", cluster: a}}
  - {{address: "127.0.0.1:0", cluster: b}}
  - {{address: "127.0.0.1:0", cluster: a, {tls}}}
  - {{address: "127.0.0.1:0", cluster: b, {tls}}}
clusters:
  a: {{endpoints: "127.0.0.1:{ports[0]}", http2: "on"}}
  b: {{endpoints: "127.0.0.1:{ports[1]}", http2: "on", tls: {{ca: localhost.pem}}}}
""")
        with Proxy(driver, "--config", path) as proxy:
            for place, port in enumerate(re.findall(r" proxy on [\d.]+:(\d+)", proxy.text)):
                said = call(*calls, "call", f"127.0.0.1:{port}", *([pem] if place >= 2 else []))
                check(said == b"all calls answered\n", said)
            check(proxy.counter("http2_upstream_streams_total") >= 4 * 100, "calls are streams")
            check(proxy.counter("http2_upstream_connections_total") <= 16, "connections are kept")
            for counter in ("http2_stream_errors_total", "http2_connection_errors_total", "http2_upstream_errors_total",
                            "upstream_truncated_total"):
                check(proxy.counter(counter) == 0, counter)


def tls_passed_on(driver):
    """curl and OpenSSL's client through the proxy to nginx's certificates, by server name; nginx reads the PROXY header before TLS."""
    names = ("a.example", "b.example")

    def servers(*ports):
        return "".join(
            f"server {{ listen 127.0.0.1:{port} ssl proxy_protocol; ssl_certificate {name}.pem; ssl_certificate_key {name}.key; "
            "ssl_protocols TLSv1.2 TLSv1.3; "
            f"root {folder}; location /who {{ return 200 '{name} $proxy_protocol_addr'; }} }} "
            for name, port in zip(names, ports))

    with tempfile.TemporaryDirectory() as folder:
        body = os.urandom(4 << 20)
        open(f"{folder}/file", "wb").write(body)
        for name in names:
            certificate(folder, name, "-addext", f"subjectAltName=DNS:{name},DNS:*.{name}")
        with nginx(folder, servers, 2) as ports:
            path = f"{folder}/uproxy.yaml"
            open(path, "w").write(
                f"""listeners: [{{address: "127.0.0.1:0", role: tcp, sni: [
  {{names: [a.example, "*.a.example"], cluster: a}}, {{names: [b.example, "*.b.example"], cluster: b}}]}}]
clusters:
  a: {{endpoints: "127.0.0.1:{ports[0]}"}}
  b: {{endpoints: "127.0.0.1:{ports[1]}"}}
trust: {{upstream_proxy_protocol: v2}}
""")
            with Proxy(driver, "--config", path) as proxy:
                port = proxy.address[1]
                for name in names:
                    for host in (name, f"x.{name}"):
                        for version in (["--tlsv1.3"], ["--tls-max", "1.2"]):
                            safe = ["curl", "-sS", "--fail", "--noproxy", "*", "--cacert", f"{folder}/{name}.pem", *version,
                                    "--connect-to", f"{host}:443:127.0.0.1:{port}"]
                            said = call(*safe, f"https://{host}/who")
                            check(said == f"{name} 127.0.0.1".encode(), f"{host}: {said}")
                            check(call(*safe, f"https://{host}/file") == body, f"{host}: file")
                    said = call(
                        "openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", name, "-CAfile", f"{folder}/{name}.pem",
                        "-verify_return_error", "-quiet", input=f"GET /who HTTP/1.0\r\nHost: {name}\r\n\r\n".encode())
                    check(said.endswith(f"{name} 127.0.0.1".encode()), f"s_client: {said}")
                refused = [
                    subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *options], stdin=subprocess.DEVNULL,
                                   capture_output=True).returncode
                    for options in (["-servername", "c.example"], ["-noservername"])]
                check(0 not in refused, f"other names: {refused}")
                check(proxy.counter("server_names_followed_total") == 18, "followed")
                check(proxy.counter("tls_handshakes_total") == 0, "nothing is decrypted")


if __name__ == "__main__":
    run([curl, nginx_origin, git_clone, apt_update, websocket, proxy_protocol_in, proxy_protocol_out, proxy_protocol_extensions, configuration,
         notify, socket_activation, privileges, half_made_start, access, tls, http2, tls_certificates, tls_origin, tls_passed_on, versions, grpc, browser, page, parent,
         metrics, promtool, reload_commands, reload_storm, upgrade, upgrade_fails, drain_delay])
