"""Starts the origin and the proxies of one scenario, each on its CPU, and ends them again."""
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from . import measure, peers
from .downstream import PLAIN, make_certificate
from .terms import Void

LAYOUTS = {
    "split": ((0,), (1,)),
    "same": ((0,), (0,)),
    "shared": ((0, 1), (0, 1)),
}
"""Where the proxy runs, and where load and origin do: a CPU each; one for all; both for all."""


class Process:
    """A program on its CPUs, in a session of its own: the scheduler weighs sessions, not threads (autogroups)."""

    def __init__(self, name, cpus, command, directory):
        self.name, self.directory = name, directory
        self._log = open(os.path.join(directory, "output"), "wb")
        self._process = subprocess.Popen(
            ["taskset", "-c", ",".join(map(str, cpus)), *command], cwd=directory, stdin=subprocess.DEVNULL,
            stdout=self._log, stderr=self._log, start_new_session=True)
        self.pids = [self._process.pid]

    def wait_for(self, port):
        """Returns when it accepts connections, and knows its processes then."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if self._process.poll() is not None:
                break
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    time.sleep(0.05)
                    self.pids = [self._process.pid, *measure.children(self._process.pid)]
                    return
            time.sleep(0.01)
        raise Void(f"{self.name} does not start: {self.last_words()}")

    def last_words(self):
        """The end of what it has written."""
        text = b""
        for folder, _, names in os.walk(self.directory):
            for name in sorted(names):
                if name == "output" or name.endswith(".log"):
                    with open(os.path.join(folder, name), "rb") as file:
                        text += file.read()[-2000:]
        lines = text.decode(errors="replace").strip().splitlines()
        grave = [line for line in lines if re.search(r"FATAL|ALERT|emerg|error", line)]
        return (grave or lines or ["it says nothing"])[-1]

    def written_bytes(self):
        """Size of all files it writes: a log would grow."""
        return sum(os.path.getsize(os.path.join(folder, name))
                   for folder, _, names in os.walk(self.directory) for name in names)

    def stop(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, number)
            except ProcessLookupError:
                pass
            try:
                self._process.wait(2)
                break
            except subprocess.TimeoutExpired:
                continue
        self._log.close()


class Proxy(Process):
    """A contender while it runs."""

    def __init__(self, contender, place, cpus, name):
        self.contender, self.place = contender, place
        self.opened_by_probe = 0
        self.negotiated = None
        super().__init__(name, cpus, contender.command(place), place.directory)
        try:
            self.wait_for(place.port)
        except BaseException:
            self.stop()
            raise

    @property
    def address(self):
        return f"127.0.0.1:{self.place.port}"

    def counters(self):
        """uproxy's own; no other proxy is asked."""
        if self.contender.program != "uproxy":
            return {}
        connection = http.client.HTTPConnection("127.0.0.1", self.place.admin, timeout=5)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        return {name: int(value) for name, value in re.findall(r"^(uproxy_\w+) (\d+)$", text, re.M)}


class Bed:
    """Everything of one scenario that outlives a window of load. A context manager."""

    def __init__(self, bench, contenders, mode, layout, workers=(1,), downstream=PLAIN):
        self.bench, self.mode, self.layout, self.downstream = bench, mode, layout, downstream
        proxy_cpus, side_cpus = ([bench.cpus[i] for i in part] for part in LAYOUTS[layout])
        self.side_cpus = side_cpus
        self._root = tempfile.mkdtemp(prefix="bench-")
        # Workers of nginx and h2o, and squid, give up root.
        os.chmod(self._root, 0o755)
        self.origin, self.proxies = None, []
        self.certificate = None
        try:
            if downstream.has_tls:
                self.certificate = make_certificate(os.path.join(self._root, "certificate.pem"), downstream.key)
            self.origin_port = bench.network.free_port()
            self.origin = Process(
                "the origin", side_cpus, [bench.binary, "origin", "--listen", f"127.0.0.1:{self.origin_port}",
                                          "--threads", "1"], self._directory("origin"))
            self.origin.wait_for(self.origin_port)
            for contender in contenders:
                for count in workers:
                    name = contender.name if workers == (1,) else f"{contender.name} ×{count}"
                    place = peers.Place(
                        bench.binary, self._directory(f"proxy-{len(self.proxies)}"), bench.network.free_port(),
                        bench.network.free_port(), self.origin_port, mode, count, bench.descriptors, downstream,
                        self.certificate)
                    self.proxies.append(Proxy(contender, place, proxy_cpus, name))
        except BaseException:
            self.close()
            raise

    def _directory(self, name):
        path = os.path.join(self._root, name)
        os.mkdir(path)
        os.chmod(path, 0o777)
        return path

    def origin_stats(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.origin_port, timeout=5)
        connection.request("GET", "/stats")
        text = connection.getresponse().read().decode()
        connection.close()
        return {name: int(value) for name, value in (line.split() for line in text.splitlines())}

    def close(self):
        for process in [*self.proxies, self.origin]:
            if process:
                process.stop()
        shutil.rmtree(self._root, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
