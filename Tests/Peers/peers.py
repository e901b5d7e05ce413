#!/usr/bin/env python3
"""Real clients and servers through the proxy: curl, nginx, git, apt-get, WebSocket.

    UPROXY=path/to/uproxy Tests/Peers/peers.py [CASE…]
"""
import base64
import functools
import hashlib
import http.server
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import Origin, Proxy, Skip, check, receive_head, run

loopback = ("--forward", "127.0.0.1:0", "--allow-destinations", "127.0.0.0/8")


def need(command):
    path = shutil.which(command) or shutil.which(command, path="/usr/sbin:/sbin")
    if not path:
        raise Skip(f"there is no {command}")
    return path


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
    nginx = need("nginx")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        body = os.urandom(8 << 20)
        open(f"{folder}/file", "wb").write(body)
        # nginx takes no port 0; one that was free a moment ago will do.
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        open(f"{folder}/nginx.conf", "w").write(
            f"""daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log stderr;
            events {{ worker_connections 512; }}
            http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
              fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; gzip on;
              gzip_types text/plain; gzip_min_length 1;
              server {{ listen 127.0.0.1:{port}; root {folder}; keepalive_requests 7; default_type text/plain;
                location /old {{ return 301 /file; }} location /empty {{ return 204; }} }} }}""")
        server = subprocess.Popen([nginx, "-p", folder, "-c", f"{folder}/nginx.conf"], stderr=subprocess.DEVNULL)
        try:
            for _ in range(200):
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except OSError:
                    time.sleep(0.02)
            with Proxy(driver, "--listen", "127.0.0.1:0", "--upstream", f"127.0.0.1:{port}") as proxy:
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
        finally:
            server.terminate()
            server.wait()


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


if __name__ == "__main__":
    run([curl, nginx_origin, git_clone, apt_update, websocket])
