"""A release build in front of `uproxy origin`, under load: what is profiled where nothing else is asked for."""
import contextlib
import ctypes
import os
import re
import shutil
import subprocess
import threading
import time


class Failed(Exception):
    pass


def allow_tracing():
    """Yama lets a process be traced by its ancestors alone, and the sampler is none. PR_SET_PTRACER, any."""
    ctypes.CDLL(None).prctl(0x59616D61, ctypes.c_ulong(-1 & (1 << 64) - 1), 0, 0, 0)


@contextlib.contextmanager
def started(binary, arguments, pattern, environment=None):
    """Runs uproxy until it has said where it listens; gives the process and the address."""
    process = subprocess.Popen(
        [binary, *arguments], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, errors="replace",
        env={**os.environ, **(environment or {})}, preexec_fn=allow_tracing)
    try:
        lines, address = [], None
        for line in process.stderr:
            lines.append(line.rstrip())
            found = re.search(pattern, line)
            address = address or (found and found[1])
            if address and re.search(r" on (io_uring|epoll)\b", line):
                break
        else:
            raise Failed(f"uproxy {' '.join(arguments)} ended: {' / '.join(lines[-5:])}")
        threading.Thread(target=lambda: [None for _ in process.stderr], daemon=True).start()
        yield process, address
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Load:
    """wrk, until it is told to stop."""

    def __init__(self, address, path, connections, seconds):
        wrk = shutil.which("wrk")
        if not wrk:
            raise Failed("there is no wrk; scripts/setup --test installs it")
        self.process = subprocess.Popen(
            [wrk, "-t1", f"-c{connections}", f"-d{int(seconds) + 60}s", f"http://{address}{path}"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def check(self):
        if self.process.poll() is not None:
            raise Failed(f"wrk ended: {self.process.stdout.read()[-300:]}")

    def stop(self):
        """Requests a second, as wrk tells when it is interrupted."""
        self.process.send_signal(2)
        try:
            text = self.process.communicate(timeout=10)[0]
        except subprocess.TimeoutExpired:
            self.process.kill()
            text = self.process.communicate()[0]
        found = re.search(r"Requests/sec:\s+([\d.]+)", text)
        bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
        if not found or float(found[1]) == 0 or bad:
            raise Failed(f"the load was not answered: {text[-300:]}")
        return float(found[1])


@contextlib.contextmanager
def under_load(binary, options, more, environment=None):
    """The proxy's process and the load, warm."""
    io = ["--io", options.io] if options.io else []
    with contextlib.ExitStack() as stack:
        _, origin = stack.enter_context(started(
            binary, ["origin", "--listen", "127.0.0.1:0", "--threads", "1", *io], r"\bon (127\.0\.0\.1:\d+)"))
        process, address = stack.enter_context(started(
            binary, ["--listen", "127.0.0.1:0", "--upstream", origin, "--threads", str(options.threads), *io, *more],
            r"reverse proxy on (127\.0\.0\.1:\d+)", environment))
        load = Load(address, options.path, options.connections, options.seconds)
        try:
            time.sleep(0.5)
            load.check()
            yield process, load
        finally:
            if load.process.poll() is None:
                load.process.kill()
                load.process.wait()
