"""What is done to a proxy in one window: the kinds of load that scenarios are made of."""
import dataclasses
import time

from . import measure, tools
from .terms import Void


@dataclasses.dataclass(frozen=True)
class Work:
    """The request, and how many connections bring it."""

    connections: int = 64
    path: str = "/size/128"
    size: int = 128
    """Bytes of the answer's body."""
    body_up: int = 0
    """Bytes of the request's body."""
    keeps_upstream: bool = True
    """Whether upstream connections have to be used again and again."""

    streams: int = 1
    """Requests that each connection has under way at a time, by HTTP/2."""

    is_fresh = False
    """Whether each round needs proxies that have just been started."""

    @property
    def body_bytes(self):
        """What a request moves."""
        return max(self.size, self.body_up)

    @property
    def under_way(self):
        """Requests at a time."""
        return self.connections * self.streams

    def descriptors(self):
        """What a process needs: both sides of each connection, and some."""
        return 2 * self.under_way + 512

    def prepare(self, bed, proxy, seconds):
        """Brings a proxy to its steady state before the first window."""
        self.run(bed, proxy, seconds)

    def request(self, bed, proxy):
        """Arguments that `load` understands."""
        origin = f"127.0.0.1:{bed.origin_port}"
        arguments = ["--target", proxy.address, "--host", origin, "--connections", str(self.connections),
                     "--path", self.path, "--expect-status", "200", "--warmup", "0"]
        if self.size:
            arguments += ["--expect-bytes", str(self.size)]
        if self.body_up:
            arguments += ["--method", "POST", "--body-bytes", str(self.body_up)]
        if bed.mode == "absolute":
            arguments += ["--absolute", f"http://{origin}"]
        if bed.mode == "connect":
            arguments += ["--connect", origin]
        return arguments


@dataclasses.dataclass(frozen=True)
class Closed(Work):
    """Each connection sends its next request when it has the answer."""

    tool: str = "load"
    new_connection: bool = False
    requests: int = 0
    """A fixed number of them, for hey."""
    gib_per_second: float = 0.0
    """For bodies so long that what is under way at the end would count: a fixed number of requests, as many as make
    this rate."""

    def run(self, bed, proxy, seconds):
        url = f"{bed.downstream.scheme}://{proxy.address}{self.path}"
        if self.tool == "wrk":
            return tools.wrk(bed.side_cpus, url, self.connections, seconds)
        if self.tool == "hey":
            return tools.hey(bed.side_cpus, url, self.connections, self.requests)
        if self.tool == "h2load":
            return tools.h2load(bed.side_cpus, url, self.connections, seconds,
                                self.streams if bed.downstream.http2 else 0, self._fixed(seconds))
        arguments = self.request(bed, proxy)
        if self.new_connection:
            arguments.append("--new-connection")
        if self.gib_per_second:
            arguments += ["--limit-requests", str(self._fixed(seconds)), "--seconds", "120"]
        else:
            arguments += ["--seconds", f"{seconds:g}"]
        return tools.load(bed.bench.load, bed.side_cpus, "closed", arguments, 180)

    def _fixed(self, seconds):
        """How many requests make the rate that is asked for; 0 if none is."""
        if not self.gib_per_second:
            return 0
        return max(2 * self.connections, round(seconds * self.gib_per_second * 2**30 / self.body_bytes))

    def prepare(self, bed, proxy, seconds):
        # With our own generator, which can be shorter than the others' shortest run, but speaks HTTP/1.1 alone.
        is_able = self.tool == "load" or not bed.downstream.is_plain
        warm = self if is_able else dataclasses.replace(self, tool="load")
        warm.run(bed, proxy, seconds)


@dataclasses.dataclass(frozen=True)
class Handshakes(Work):
    """A TLS connection for each request."""

    resumes: bool = False
    """Each takes up the session of the one before it."""

    def run(self, bed, proxy, seconds):
        return tools.handshakes(bed.side_cpus, proxy.place.port, self, seconds)


@dataclasses.dataclass(frozen=True)
class Open(Work):
    """Requests at a fixed rate, each timed from when it was due, so that a stall counts for all that it delays."""

    rate: int = 0
    percent: int = 0
    """Of the proxy's own maximum, which is measured first."""

    def run(self, bed, proxy, seconds):
        rate = self.rate or bed.bench.maxima[proxy.name, bed.layout] * self.percent / 100
        arguments = [*self.request(bed, proxy), "--rate", f"{rate:.0f}", "--seconds", f"{seconds:g}"]
        result = tools.load(bed.bench.load, bed.side_cpus, "open", arguments, seconds + 60)
        return result | {"asked_rate": rate}

    def prepare(self, bed, proxy, seconds):
        closed = Closed(connections=self.connections, path=self.path, size=self.size)
        closed.run(bed, proxy, seconds)
        if self.percent and (proxy.name, bed.layout) not in bed.bench.maxima:
            bed.bench.maxima[proxy.name, bed.layout] = closed.run(bed, proxy, max(1, 2 * seconds))["rate"]


@dataclasses.dataclass(frozen=True)
class Reuse(Open):
    """How many upstream connections a light load of many clients opens, from the first request on."""

    is_fresh = True

    def run(self, bed, proxy, seconds):
        before = bed.origin_stats()["accepted"]
        result = super().run(bed, proxy, seconds)
        opened = bed.origin_stats()["accepted"] - before - 1 + proxy.opened_by_probe
        return result | {"opened": opened, "unused": opened / max(1, result["requests"])}

    def prepare(self, bed, proxy, seconds):
        pass


@dataclasses.dataclass(frozen=True)
class Idle(Work):
    """User memory of connections that have had one answer and wait for the next request."""

    is_fresh = True
    SETTLE = 3.0
    """Seconds until memory has been given back by those who do so."""

    def descriptors(self):
        # Upstream connections are few.
        return self.connections + 2048

    def prepare(self, bed, proxy, seconds):
        Closed().run(bed, proxy, seconds)

    def run(self, bed, proxy, seconds):
        time.sleep(self.SETTLE)
        before, began = measure.pss_bytes(proxy.pids), time.monotonic()
        with tools.Held(bed, proxy, "idle", self.connections, ["--path", self.path]):
            opened = time.monotonic() - began
            time.sleep(self.SETTLE)
            each = (measure.pss_bytes(proxy.pids) - before) / self.connections
        return {
            "tool": "load", "requests": self.connections, "seconds": opened, "rate": self.connections / opened,
            "bytes_in": None, "errors": 0, "error_detail": "", "bytes_each": each,
        }


@dataclasses.dataclass(frozen=True)
class Slow(Open):
    """An open loop alone, then beside senders that bring a byte a second."""

    senders: int = 2000

    def descriptors(self):
        return 2 * (self.connections + self.senders) + 512

    def run(self, bed, proxy, seconds):
        alone = super().run(bed, proxy, seconds)
        with tools.Held(bed, proxy, "slow", self.senders, ["--interval", "1s"]):
            beside = super().run(bed, proxy, seconds)
        return beside | {
            "requests": alone["requests"] + beside["requests"], "errors": alone["errors"] + beside["errors"],
            "seconds": alone["seconds"] + beside["seconds"], "tool_cpu": alone["tool_cpu"] + beside["tool_cpu"],
            "bytes_in": alone["bytes_in"] + beside["bytes_in"],
            "p99_alone": alone["p99"], "p99_ratio": beside["p99"] / alone["p99"],
        }


def check_descriptors(work, limit):
    needed = work.descriptors()
    if needed > limit:
        raise Void(f"{needed} descriptors are needed in one process and {limit} are allowed; raise the hard limit "
                   f"(ulimit -Hn {needed}), or take a scenario with fewer connections")
