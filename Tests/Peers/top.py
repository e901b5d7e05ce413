"""uproxy top as its users see it: in a terminal that is made of a pseudo-terminal and what its sequences do to a screen."""
import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import time

from harness import Origin, Proxy, binary, check, exchange, run

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "README.md")
EVIL = "/slow/%1b]0;title%07"


class Screen:
    """What a VT100 of our kind shows; what top has no reason to send is an error."""

    def __init__(self, columns, rows):
        self.resize(columns, rows)
        self.is_other = False
        self.styles = set()
        self.modes = {}

    def resize(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.cells = [[" "] * columns for _ in range(rows)]
        self.row = self.column = 0
        # Until it is cleared, what comes may be for the old size.
        self.is_settling = True

    def take(self, text):
        """Returns what is no whole sequence yet."""
        place = 0
        while place < len(text):
            if text[place] == "\x1b":
                whole = re.compile(r"\x1b\[(\??)([0-9;]*)([A-Za-z])").match(text, place)
                if not whole:
                    check(re.compile(r"\x1b(\[[?0-9;]*)?$").match(text, place), f"no sequence: {text[place:place + 20]!r}")
                    return text[place:]
                self.do(*whole.groups())
                place = whole.end()
                continue
            self.put(text[place])
            place += 1
        return ""

    def put(self, character):
        if not self.is_other and character in "\r\n":
            return
        check(character.isprintable(), f"{character!r} is sent to the terminal")
        if self.is_settling and (self.column >= self.columns or self.row >= self.rows):
            return
        check(self.column < self.columns and self.row < self.rows, f"{character!r} at {self.row}:{self.column} wraps")
        self.cells[self.row][self.column] = character
        self.column += 1

    def do(self, private, arguments, kind):
        if private:
            self.modes[arguments] = kind
            if arguments == "1049":
                self.is_other = kind == "h"
        elif kind == "H":
            row, column = (arguments.split(";") + ["1"])[:2]
            self.row, self.column = int(row or 1) - 1, int(column or 1) - 1
        elif kind == "J":
            check(arguments == "2", arguments)
            self.is_settling = False
            self.cells = [[" "] * self.columns for _ in range(self.rows)]
        elif kind == "K" and (self.row < self.rows or self.is_settling):
            if self.row >= self.rows:
                return
            for column in range(self.column, self.columns):
                self.cells[self.row][column] = " "
        elif kind == "m":
            self.styles.add(arguments)
        else:
            raise AssertionError(f"there is no sequence {kind}")

    @property
    def text(self):
        return "\n".join("".join(row).rstrip() for row in self.cells)


class Top:
    """uproxy top in a terminal of its own."""

    def __init__(self, *arguments, size=(100, 30), environment={}):
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.screen = Screen(*size)
        self.set_size(*size)
        self.rest = ""
        environment = {"PATH": os.environ["PATH"], "TERM": "xterm", **environment}

        def own_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            [binary, "top", *arguments], stdin=self.slave, stdout=self.slave, stderr=self.slave, env=environment,
            preexec_fn=own_terminal)

    def set_size(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns, rows):
        self.screen.resize(columns, rows)
        self.set_size(columns, rows)

    def type(self, text):
        os.write(self.master, text.encode())

    def read(self, seconds):
        """Takes what comes within so much time, if anything does."""
        if not select.select([self.master], [], [], seconds)[0]:
            return
        with contextlib.suppress(OSError):
            # The locale of most cases has no characters but ASCII; those of UTF-8 are of three bytes.
            self.raw = getattr(self, "raw", b"") + os.read(self.master, 65536)
            with contextlib.suppress(UnicodeDecodeError):
                text, self.raw = self.raw.decode(), b""
                self.rest = self.screen.take(self.rest + text)

    def wait(self, condition, what, seconds=10):
        """Until the screen is as it should be; how long that took."""
        started = time.monotonic()
        while not condition(self.screen.text):
            left = started + seconds - time.monotonic()
            check(left > 0, f"{what} is not shown:\n{self.screen.text}")
            self.read(min(left, 0.5))
        return time.monotonic() - started

    def wait_for(self, words, seconds=10):
        return self.wait(lambda text: words in text, words, seconds)

    def end(self, status=0):
        """That it ends so, and that the terminal is as it was."""
        deadline = time.monotonic() + 10
        while self.process.poll() is None:
            check(time.monotonic() < deadline, "top does not end")
            self.read(0.05)
        self.read(0.1)
        check(self.process.returncode == status, f"exit status {self.process.returncode}: {self.screen.text}")
        self.check_restored()

    def check_restored(self):
        check(termios.tcgetattr(self.slave) == self.before, "the terminal's modes are not those of before")
        modes = self.screen.modes
        check(modes == {} or (modes["1049"], modes["25"], modes["7"]) == ("l", "h", "h"), f"modes are left: {modes}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)


@contextlib.contextmanager
def silent():
    """An upstream that takes requests and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield "127.0.0.1:%d" % listener.getsockname()[1]


def admin_of(proxy):
    deadline = time.monotonic() + 10
    while True:
        found = re.search(r"metrics and health on (\S+)", proxy.text)
        if found:
            return found[1]
        check(time.monotonic() < deadline, proxy.text)
        time.sleep(0.02)


@contextlib.contextmanager
def proxy_of(driver, *arguments):
    """A proxy before an origin (cluster app) and an upstream that is silent (cluster slow)."""
    with Origin() as origin, silent() as upstream, tempfile.TemporaryDirectory() as folder:
        open(f"{folder}/uproxy.yaml", "w").write(
            f"""listeners: [{{address: "127.0.0.1:0", routes: site}}]
clusters: {{app: {{endpoints: "{origin.address}"}}, slow: {{endpoints: "{upstream}"}}}}
routes: {{site: [{{match: {{path: "/slow/*"}}, cluster: slow}}, {{cluster: app}}]}}
timeouts: {{drain: 100ms}}
""")
        with Proxy(driver, "--config", f"{folder}/uproxy.yaml", "--threads", "1", *arguments) as proxy:
            proxy.upstream = upstream
            yield proxy


def hang(proxy, path=EVIL):
    client = proxy.connect()
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: shop.example\r\n\r\n".encode())
    return client


def hanging(driver):
    """A request that hangs is shown within a second, with its state, its age and what it waits for."""
    with proxy_of(driver) as proxy, Top("--admin", admin_of(proxy)) as top:
        top.wait_for("requests ")
        # Rates are there.
        top.wait(lambda text: re.search(r"requests +\d", text), "a rate")
        slowest = 0
        clients = []
        for number in range(3):
            clients.append(hang(proxy, f"/slow/{number}"))
            words = rf"\d+\.\ds forwarding .*GET \S*/slow/{number} .*the answer of {proxy.upstream}"
            slowest = max(slowest, top.wait(lambda text: re.search(words, text), words))
        check(slowest < 1, f"{slowest} s")
        top.wait(lambda text: re.search(r"[2-9]\.\ds forwarding", text), "its age")
        top.wait_for("3 under way")
        top.type("q")
        top.end()
        for client in clients:
            client.close()
        return f"within {slowest * 1000:.0f} ms"


def keys(driver):
    """Views, opening, filters, pausing, sizes; and no line that is wider than the terminal."""
    with proxy_of(driver) as proxy, Top("--admin", admin_of(proxy), "--interval", "200ms") as top:
        client = proxy.connect()
        exchange(client)
        hung = hang(proxy)
        top.wait_for("GET")
        top.type("2")
        top.wait_for("CLUSTER")
        top.wait_for("slow")
        top.type("/slo\r")
        top.wait(lambda text: "filter: slo " in text and not re.search("^app ", text, re.M), "slow alone")
        top.type("\r")
        top.wait_for("ENDPOINT")
        top.wait_for(proxy.upstream)
        top.type("\x1b")
        top.wait(lambda text: re.search("^CLUSTER", text, re.M), "all clusters")
        top.type("\x1b")
        top.wait(lambda text: re.search("^app ", text, re.M), "all clusters without a filter")
        top.type("\t")
        top.wait_for("WAITS FOR")
        top.type("\r")
        top.wait_for(f"waits for   the answer of {proxy.upstream}")
        top.wait_for(EVIL)
        top.type("4")
        top.wait_for("TURNS/S")
        top.type("5")
        top.wait(lambda text: "CAUSE" in text or "nothing has gone wrong" in text, "errors")
        top.type("?")
        top.wait_for("Ctrl-C    end")
        top.type("?1p")
        top.wait_for("paused")
        top.resize(80, 24)
        top.wait(lambda text: "requests " in text and "paused" in text.split("\n")[23], "the other size")
        top.type("p")
        top.resize(40, 10)
        top.wait(lambda text: "every 200ms" in text.split("\n")[9], "the small size")
        top.type("3")
        top.wait(lambda text: re.search(r"\ds forwarding", text), "the exchange on a small screen")
        top.resize(120, 40)
        top.wait(lambda text: "every 200ms" in text.split("\n")[39], "the large size")
        check({"1;4", "7"} <= top.screen.styles and any(re.match("3[1-3]", style) for style in top.screen.styles), "colours")
        top.type("q")
        top.end()
        hung.close()


def left(driver):
    """However it ends, or stops: the terminal is as it was."""
    with proxy_of(driver) as proxy:
        admin = admin_of(proxy)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGABRT, signal.SIGSEGV, signal.SIGILL):
            with Top("--admin", admin) as top:
                top.wait_for("requests ")
                check(termios.tcgetattr(top.slave) != top.before, "the terminal was not taken over")
                os.kill(top.process.pid, number)
                ends = number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
                top.end(0 if ends else -number)
        with Top("--admin", admin) as top:
            top.wait_for("requests ")
            # Ctrl-C at the terminal itself.
            top.type("\x03")
            top.end()
        with Top("--admin", admin) as top:
            top.wait_for("requests ")
            os.kill(top.process.pid, signal.SIGTSTP)
            deadline = time.monotonic() + 10
            while " (stopped)" not in open(f"/proc/{top.process.pid}/status").read():
                check(time.monotonic() < deadline, "it does not stop")
                top.read(0.01)
            top.read(0.1)
            top.check_restored()
            top.screen.resize(100, 30)
            os.kill(top.process.pid, signal.SIGCONT)
            top.wait_for("requests ")
            check(top.screen.modes["1049"] == "h", "it goes on elsewhere")
            top.type("q")
            top.end()
        # Without colours, and without any style.
        for environment, allowed in (({"NO_COLOR": "1"}, {"0", "1", "7", "1;4"}), ({"TERM": "dumb"}, {"0"})):
            with Top("--admin", admin, environment=environment) as top:
                top.wait_for("requests ")
                top.type("2")
                top.wait_for("CLUSTER")
                check(top.screen.styles <= allowed, f"{environment}: {top.screen.styles}")
                top.type("q")
                top.end()


def replaced(driver):
    """A process that has gone is told of, and another one in its place is looked at."""
    with contextlib.ExitStack() as stack:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            admin = "127.0.0.1:%d" % probe.getsockname()[1]

        def start():
            return stack.enter_context(Proxy(driver, "--forward", "127.0.0.1:0", "--admin", admin))

        first = start()
        old = first.pid
        admin_of(first)
        top = stack.enter_context(Top("--admin", admin, "--interval", "200ms"))
        top.wait_for(f"pid {old}")
        first.stop()
        top.wait_for(f"nobody listens on {admin}")
        second = start()
        top.wait_for(f"process {second.pid} serves in the place of {old}")
        top.wait(lambda text: "nobody listens" not in text and f"pid {second.pid}" in text, "the new process")
        # One that does not answer does not keep keys from being heard.
        os.kill(second.pid, signal.SIGSTOP)
        top.wait_for("does not answer")
        top.type("4")
        top.wait_for("TURNS/S", seconds=2)
        os.kill(second.pid, signal.SIGCONT)
        top.wait(lambda text: "does not answer" not in text, "that it answers again")
        top.type("q")
        top.end()


def once(*arguments, **options):
    return subprocess.run([binary, "top", *arguments], capture_output=True, text=True, timeout=60, **options)


def report(driver):
    """A text for scripts; and what is wrong, with a remedy."""
    with tempfile.TemporaryDirectory() as folder:
        token = f"{folder}/token"
        open(token, "w").write("0123456789abcdef0123456789abcdef\n")
        with proxy_of(driver, "--admin-token-file", token) as proxy:
            admin = admin_of(proxy)
            hung = hang(proxy)
            told = once("--admin", admin, "--admin-token-file", token, "--interval", "200ms", "--once")
            check(told.returncode == 0, told.stderr)
            text = told.stdout
            for words in (f"pid {proxy.pid}", "requests ", "LISTENER", "CLUSTER", "ENDPOINT", "WORKER", "forwarding", EVIL):
                check(words in text, f"{words} in\n{text}")
            check("\x1b" not in text, text)
            piped = once("--admin", admin, "--admin-token-file", token, "--interval", "100ms")
            check(piped.returncode == 0 and "CLUSTER" in piped.stdout, piped.stderr)
            refused = once("--admin", admin, "--once")
            check(refused.returncode == 1 and "--admin-token-file FILE" in refused.stderr, refused.stderr)
            open(token, "w").write("another0123456789abcdef\n")
            refused = once("--admin", admin, "--admin-token-file", token, "--once")
            check(refused.returncode == 1 and "does not take this token" in refused.stderr, refused.stderr)
            traffic = "%s:%d" % proxy.address
            refused = once("--admin", traffic, "--once")
            check(refused.returncode == 1 and "no admin listener" in refused.stderr, refused.stderr)
            hung.close()
    for arguments, status, words in (
        (["--admin", "nonsense"], 1, "--admin"), (["--admin", "127.0.0.1:1"], 1, "nobody listens on 127.0.0.1:1"),
        ([], 64, "give --admin ADDRESS"), (["--admin", "127.0.0.1:1", "--interval", "1"], 64, "no unit"),
        (["--admin", "127.0.0.1:1", "--interval", "1ms"], 64, "from 100ms"),
        (["--admin", "unix:/nowhere/at/all"], 1, "nobody listens"),
    ):
        refused = once(*arguments)
        check(refused.returncode == status and words in refused.stderr, f"{arguments}: {refused.returncode} {refused.stderr}")


def documented(driver):
    """The screen in README.md has the lines and columns that the real one has."""
    text = open(README).read()
    found = re.search(r"## A live view.*?```text\n(.*?)```", text, re.S)
    check(found, "README.md has no screen of uproxy top")
    shown = found[1].splitlines()
    check(len(shown) <= 30 and max(map(len, shown)) <= 100, "the screen is one of 100 columns and 30 lines")
    with proxy_of(driver) as proxy, Top("--admin", admin_of(proxy)) as top:
        client, hung = proxy.connect(), hang(proxy)
        exchange(client)
        top.wait_for("LISTENER")
        top.wait(lambda text: re.search(r"requests +\d", text), "a rate")
        lines = top.screen.text.splitlines()
        check(lines[1].split() == shown[1].split(), f"{lines[1]}\n{shown[1]}")

        def headings(lines):
            names = [line.split()[0] for line in lines if re.match("[a-z]+ +", line) and re.match(".{11} [^ ]", line)]
            return names, [line.split() for line in lines if re.search("REQUESTS?v? ", line + " ")]

        check(headings(lines) == headings(shown), f"{headings(lines)}\n{headings(shown)}")
        check(len(headings(shown)[0]) >= 11 and len(headings(shown)[1]) == 3, f"{headings(shown)}")
        top.type("q")
        top.end()
        hung.close()


# What is shown of a process is the same whatever drives it.
for case in (keys, left, replaced, report, documented):
    case.drivers = ["epoll"]

if __name__ == "__main__":
    run([hanging, keys, left, replaced, report, documented])
