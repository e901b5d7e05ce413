"""The flight recorder as its users see it: the one slow request, a worker that hangs, a crash."""
import contextlib
import glob
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time

from harness import Proxy, binary, check, exchange, run
from logs import Stub, answer, pipelined, records, request_of


@contextlib.contextmanager
def recording(driver, clusters, log, recorder=""):
    """A proxy with a recorder that writes into a directory, and its access log."""
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/dumps")
        open(f"{folder}/uproxy.yaml", "w").write(
            f"""listeners: [{{address: "127.0.0.1:0"}}]
{clusters}
access_log: {{{log.format(folder=folder)}}}
flight_recorder: {{directory: "{folder}/dumps"{recorder}}}
""")
        # A backtrace of Swift's own takes seconds, and asks for a terminal.
        os.environ["SWIFT_BACKTRACE"] = "enable=no"
        with contextlib.ExitStack() as stack:
            yield stack.enter_context(contextlib.closing(Closable(driver, folder))), folder


class Closable(Proxy):
    def __init__(self, driver, folder):
        super().__init__(driver, "--config", f"{folder}/uproxy.yaml", "--threads", "1")

    def close(self):
        if self.process.poll() is None:
            self.stop()


def dump(folder, what, seconds=20):
    """The name of a dump, once it is there."""
    deadline = time.monotonic() + seconds
    while True:
        found = glob.glob(f"{folder}/dumps/flight-*-{what}.dump")
        if found:
            return found[0]
        check(time.monotonic() < deadline, f"no {what} among {os.listdir(f'{folder}/dumps')}")
        time.sleep(0.02)


def trace(*arguments):
    done = subprocess.run([binary, "trace", *arguments], capture_output=True, text=True)
    check(done.returncode == 0, done.stderr)
    return done.stdout


def admin(proxy):
    deadline = time.monotonic() + 10
    while not (found := re.search(r"metrics and health on (\S+)", proxy.text)):
        check(time.monotonic() < deadline, proxy.text)
        time.sleep(0.02)
    return found[1]


def serve(connection):
    """Answers requests, however many come at once, and one of them late."""
    data = b""
    while True:
        more = connection.recv(1 << 16)
        if not more:
            return
        data += more
        while b"\r\n\r\n" in data:
            head, _, data = data.partition(b"\r\n\r\n")
            if b"/the-one" in head:
                time.sleep(0.4)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def slow_one(driver):
    """Among many requests one is slow: by its id in the access log it is found afterwards, with what became of it and when."""
    count = int(os.environ.get("REQUESTS", "20000"))
    with Stub(serve) as stub, recording(
            driver, f'clusters: {{api: {{endpoints: "{stub.address}"}}}}', 'to: "{folder}/log", format: json, sample: 1000000000, slow: 300ms',
            ", slow: 300ms") as (proxy, folder):
        stop = threading.Event()

        def others():
            while not stop.is_set():
                pipelined(proxy, [b"/quick"] * 100)

        before = [b"/quick"] * count
        check(pipelined(proxy, before) == {200: count}, "all are answered")
        # Others go on meanwhile, and afterwards.
        thread = threading.Thread(target=others)
        thread.start()
        exchange(proxy.connect(), b"GET /the-one HTTP/1.1\r\nHost: h\r\n\r\n")
        path = dump(folder, "slow")
        stop.set()
        thread.join()
        record = next(record for record in records(f"{folder}/log", 1) if record["target"] == "/the-one")
        found = json.loads(trace(path, "--id", record["id"], "--format", "json"))
        check(abs(found["duration_ms"] - record["duration_ms"]) < 1, f"{found} of {record}")
        texts = [event["text"] for event in found["events"]]
        check(any(text.startswith("in all, wait: ") for text in texts), f"{texts}")
        check(any(f"cluster api, endpoint {stub.address}" in text for text in texts), f"{texts}")
        check(any(text.startswith("ends with 200 after ") for text in texts), f"{texts}")
        check(record["id"] in trace(path), "the dump says what it is for")
        check(record["id"] in trace(path, "--slowest", "1"), "the slowest is the slow one")
        live = trace("--admin", admin(proxy), "--list")
        check(len(live.splitlines()) > 1, live)
        check(proxy.counter("slow_exchanges_total") == 1, "one is slow")
        return f"1 of {count}, {len(found['events'])} events of it"


def stalled(driver):
    """A worker that waits for a log nobody reads (when_full: wait) hangs in that: the log names the function."""
    with Stub(serve) as stub, tempfile.TemporaryDirectory() as pipes:
        path = f"{pipes}/pipe"
        os.mkfifo(path)
        pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        with recording(
                driver, f'clusters: {{api: {{endpoints: "{stub.address}"}}}}',
                f'to: "{path}", format: json, buffer: 64KiB, when_full: wait') as (proxy, folder):
            sender = threading.Thread(target=lambda: pipelined(proxy, [b"/quick"] * 3000))
            sender.start()
            deadline = time.monotonic() + 20
            # More than a second: it is told of while it still hangs.
            while "stall: worker-0" not in proxy.text:
                check(time.monotonic() < deadline, proxy.text)
                time.sleep(0.02)
            while sender.is_alive():
                with contextlib.suppress(BlockingIOError):
                    os.read(pipe, 1 << 20)
            line = next(line for line in proxy.lines if "stall: worker-0" in line)
            # In a release build it is part of what calls it.
            check("awaitRoom" in line or "Engine.publish" in line, line)
            check("blocked" in line, line)
            text = trace(dump(folder, "*stall"))
            check("awaitRoom" in text or "Engine.publish" in text, text)
            done = threading.Event()

            def drain():
                while not done.is_set():
                    with contextlib.suppress(BlockingIOError):
                        os.read(pipe, 1 << 20)
                    time.sleep(0.001)

            reader = threading.Thread(target=drain)
            reader.start()
            proxy.stop()
            done.set()
            reader.join()
        os.close(pipe)
        return line[:160]


def crashed(driver):
    """A crash leaves a dump with the last events, and the process ends by its signal."""
    with Stub(serve) as stub, recording(
            driver, f'clusters: {{api: {{endpoints: "{stub.address}"}}}}', 'to: "{folder}/log", format: json') as (proxy, folder):
        for _ in range(3):
            exchange(proxy.connect())
        record = records(f"{folder}/log", 3)[2]
        for number, name in [(signal.SIGSEGV, "SEGV")]:
            os.kill(proxy.pid, number)
            check(proxy.process.wait(20) == -number, f"SIG{name}: {proxy.process.returncode}")
        path = dump(folder, "crash")
        check(trace(path).startswith("crash: "), trace(path))
        check(f"signal {signal.SIGSEGV}" in trace(path), trace(path))
        check("ends with 200" in trace(path, "--id", record["id"]), "what was done before")
        return os.path.getsize(path)


if __name__ == "__main__":
    run([slow_one, stalled, crashed])
