"""What is measured, against whom, and what has to come out.

A target compares medians of one interleaved run. `best` is the best of the peers that were measured there.
"""
import dataclasses

from .downstream import H2_TLS, H2C, PLAIN, TLS, TLS_RSA, Downstream
from .work import Closed, Handshakes, Idle, Open, Reuse, Slow, Work

FLOOR = "byte relay"
URING, EPOLL, BUSY_POLL = "uproxy uring", "uproxy epoll", "uproxy busy-poll"
OURS = (URING, EPOLL)
SMALL = (*OURS, "nginx", "haproxy", "h2o", "envoy")
SMALL_QUICK = (URING, "nginx", "haproxy")
BULK = (*OURS, "nginx", "nginx-big", "haproxy", "haproxy-big", "haproxy-splice", "h2o", "envoy")
WITH_TLS = (*OURS, "nginx", "haproxy")
LIBRARY = "openssl s_server"
BULK_QUICK = (URING, "nginx", "nginx-big", "haproxy-splice")
UPLOAD_QUICK = (URING, "nginx-big", "haproxy", "haproxy-splice")
FORWARD = (*OURS, "haproxy", "squid", "envoy")
CONNECT = (*OURS, "squid", "envoy")


@dataclasses.dataclass(frozen=True)
class Target:
    """What `contender`'s `metric` may be at most: a multiple of another's, or a number."""

    metric: str
    limit: float
    against: str = "best"
    """`best`, the name of a contender, or nothing for a number."""
    contender: str = URING
    layout: str = ""
    """In this layout only; empty for all."""


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    work: Work
    contenders: tuple
    quick: tuple
    targets: tuple = ()
    layouts: tuple = ("split",)
    quick_layouts: tuple = ()
    """Fewer layouts for the quick mode, if any are named."""
    mode: str = "reverse"
    metric: str = "cpu_us"
    """The one whose ratios the table shows."""
    workers: tuple = (1,)
    counts_entries: bool = False
    least_seconds: float = 0.0
    """For what shows in the tail only."""
    stretch: int = 1
    """Windows so many times as long, but in the quick mode; for the same reason."""
    downstream: Downstream = PLAIN
    """What clients speak."""
    in_quick: bool = True
    """Whether a quick run of everything has it."""
    awake: bool = False
    """CPUs are kept from halting, so that latencies are the proxies' and not the hypervisor's."""


def small(connections, *targets):
    return Scenario(
        f"small-{connections}", f"128-byte answers, {connections} connection{'s' * (connections > 1)}",
        Closed(connections=connections, tool="wrk"), (*SMALL, FLOOR),
        (URING, EPOLL, "nginx", "haproxy", FLOOR) if connections == 64 else SMALL_QUICK, targets, ("split", "same"),
        ("split", "same") if connections == 64 else ("split",), counts_entries=True)


def body(name, size, connections, *targets, bulk=False):
    text = f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KiB"
    return Scenario(
        f"body-{name}", f"{text} answers, {connections} connections",
        Closed(connections=connections, path=f"/size/{size}", size=size, gib_per_second=1.2 if bulk else 0.0), BULK,
        BULK_QUICK if bulk else SMALL_QUICK, targets, ("split", "same") if bulk else ("split",),
        metric="cpu_s_per_gib" if bulk else "cpu_us", counts_entries=not bulk)


def upload(name, size, connections, *targets, bulk=False):
    text = f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KiB"
    return Scenario(
        f"upload-{name}", f"{text} uploads, {connections} connections",
        Closed(connections=connections, path="/drain", size=0, body_up=size, gib_per_second=1.2 if bulk else 0.0),
        BULK, UPLOAD_QUICK, targets, metric="cpu_s_per_gib" if bulk else "cpu_us")


def open_loop(percent, *targets):
    return Scenario(
        f"open-{percent}", f"open loop at {percent} % of each proxy's own maximum, 64 connections",
        Open(percent=percent), SMALL, (URING, "nginx", "haproxy", "h2o") if percent == 50 else SMALL_QUICK, targets,
        metric="p99", least_seconds=1, stretch=2)


def idle(name, connections, *targets):
    return Scenario(
        f"idle-{name}", f"{connections:,} idle connections: user bytes each",
        Idle(connections=connections, keeps_upstream=False), SMALL, SMALL_QUICK if connections == 10_000 else (URING,),
        targets, metric="bytes_each")


def handshakes(name, title, downstream, against, resumes=False):
    """95 in 100 of another's handshakes per CPU second."""
    return Scenario(
        f"tls-{name}", f"a TLS connection for each request, {title}, 64 at a time", Handshakes(resumes=resumes),
        (*WITH_TLS, LIBRARY) if against == LIBRARY else WITH_TLS,
        (URING, "nginx", LIBRARY) if against == LIBRARY else (URING, "nginx"), (Target("cpu_us", 1.053, against),),
        downstream=downstream, in_quick=False)


def http2(name, over, downstream, in_quick):
    return Scenario(
        name, f"HTTP/2 {over}, 4 connections × 32 streams, 128-byte answers",
        Closed(connections=4, streams=32, tool="h2load"), WITH_TLS, SMALL_QUICK, (Target("cpu_us", 0.85, "haproxy"),),
        counts_entries=True, downstream=downstream, in_quick=in_quick)


BULK_TARGETS = (
    Target("cpu_s_per_gib", 0.85, layout="split"),
    Target("cpu_s_per_gib", 1.0, "haproxy-splice", layout="same"),
    Target("cpu_s_per_gib", 0.35, "nginx", layout="same"),
)
OPEN_TARGETS = tuple(Target(metric, 1.0) for metric in ("p50", "p99", "p99.9", "cpu_us"))
ENTRIES = Target("entries", 0.5, "")

SCENARIOS = (
    Scenario("throughput", "wrk, 400 connections, 128-byte answers", Closed(connections=400, tool="wrk"), SMALL,
             SMALL_QUICK, layouts=("split", "same"), quick_layouts=("split",), counts_entries=True),
    Scenario("latency", "wrk, 100 connections, 128-byte answers", Closed(connections=100, tool="wrk"), SMALL,
             SMALL_QUICK, metric="p99"),
    Scenario("concurrency", "hey, 10,000 requests on 500 connections",
             Closed(connections=500, tool="hey", requests=10_000), SMALL, SMALL_QUICK),
    small(1),
    small(16, Target("cpu_us", 0.78, layout="split")),
    small(64,
          Target("cpu_us", 0.62, layout="same"),
          Target("cpu_us", 1.15, FLOOR, layout="same"),
          Target("cpu_us", 0.82, EPOLL, layout="same"),
          Target("cpu_us", 0.75, layout="split"),
          ENTRIES),
    small(256, Target("cpu_us", 0.72, layout="split"), ENTRIES),
    small(1024),
    Scenario("one-connection", "one connection, asleep and busy polling", Closed(connections=1, tool="wrk"),
             (URING, BUSY_POLL, *SMALL[1:]), (URING, BUSY_POLL, "nginx", "haproxy", "h2o"),
             (Target("p50", 1.0), Target("cpu_us", 1.0), Target("p50", 0.5, contender=BUSY_POLL)), metric="p50"),
    Scenario("one-connection-awake", "one connection, asleep, on CPUs that do not halt",
             Closed(connections=1, tool="wrk"), SMALL, (URING, "nginx", "haproxy", "h2o"),
             (Target("p50", 1.0), Target("cpu_us", 1.0)), metric="p50", awake=True),
    body("1k", 1 << 10, 64),
    body("16k", 16 << 10, 64, Target("cpu_us", 0.75)),
    body("64k", 64 << 10, 16),
    body("1m", 1 << 20, 8, *BULK_TARGETS, bulk=True),
    body("64m", 64 << 20, 4, *BULK_TARGETS, bulk=True),
    upload("64k", 64 << 10, 32, Target("cpu_us", 0.75)),
    upload("16m", 16 << 20, 4, Target("cpu_s_per_gib", 0.65), bulk=True),
    Scenario("new-connection", "a new connection for each request, 64 at a time", Closed(new_connection=True), SMALL,
             (URING, "nginx", "haproxy", "h2o"), (Target("cpu_us", 0.8),)),
    Scenario("forward-128", "forward proxy, absolute form, 128-byte answers, 64 connections", Closed(), FORWARD,
             (URING, "haproxy", "squid", "envoy"), (
                 Target("cpu_us", 0.8, "haproxy"), Target("cpu_us", 0.25, "envoy"), Target("cpu_us", 0.25, "squid")),
             mode="absolute"),
    Scenario("forward-connect-bulk", "CONNECT tunnels, 64 MiB answers, 4 connections",
             Closed(connections=4, path=f"/size/{64 << 20}", size=64 << 20, gib_per_second=1.0, keeps_upstream=False),
             CONNECT, (URING, "squid", "envoy"), (Target("cpu_s_per_gib", 0.5),), mode="connect",
             metric="cpu_s_per_gib"),
    Scenario("forward-connect-setup", "CONNECT and one request each, 64 at a time",
             Closed(new_connection=True, keeps_upstream=False), CONNECT, (URING, "squid", "envoy"),
             (Target("cpu_us", 0.4),), mode="connect"),
    open_loop(50, *OPEN_TARGETS),
    open_loop(70),
    open_loop(90),
    Scenario("open-rate", "open loop at 5,000 requests a second, 64 connections", Open(rate=5000), SMALL,
             (URING, "nginx", "haproxy", "h2o"), OPEN_TARGETS, metric="p99", least_seconds=1, stretch=3, awake=True),
    idle("10k", 10_000, Target("bytes_each", 450, "")),
    idle("15k", 15_000),
    idle("50k", 50_000, Target("bytes_each", 450, "")),
    Scenario("reuse", "two workers, 2,000 requests a second over 64 connections: upstream connections opened",
             Reuse(rate=2000), SMALL, SMALL_QUICK, (
                 Target("opened", 2, ""), Target("unused", 0.001, ""), Target("futexes", 0.001, "")),
             ("shared",), metric="opened", workers=(2,), counts_entries=True, least_seconds=2, stretch=3),
    Scenario("slow", "4,000 requests a second beside 2,000 slow senders", Slow(rate=4000), SMALL, SMALL_QUICK,
             (Target("p99_ratio", 1.2, ""),), metric="p99_ratio", least_seconds=2, stretch=3),
    Scenario("scaling", "one worker and two on two CPUs, which load and origin share",
             Closed(connections=128, tool="wrk"), (URING, "nginx", "haproxy"), SMALL_QUICK, layouts=("shared",),
             workers=(1, 2)),
    Scenario("h2load-h1", "cross-check of small-64 by h2load", Closed(tool="h2load"), SMALL, SMALL_QUICK),
    Scenario("tls-small", "TLS, 128-byte answers, 64 connections", Closed(tool="wrk"), WITH_TLS, SMALL_QUICK,
             (Target("cpu_us", 0.8, "haproxy"),), ("split", "same"), ("split",), counts_entries=True, downstream=TLS,
             in_quick=False),
    handshakes("handshakes", "in full, ECDSA P-256", TLS, LIBRARY),
    handshakes("handshakes-rsa", "in full, RSA 2048", TLS_RSA, LIBRARY),
    handshakes("resumed", "resumed", TLS, "nginx", resumes=True),
    Scenario("tls-bulk", "TLS, 1 MiB answers, 8 connections",
             Closed(connections=8, path=f"/size/{1 << 20}", size=1 << 20, tool="h2load", gib_per_second=0.6),
             (*OURS, "nginx", "nginx-big", "haproxy", "haproxy-big"), SMALL_QUICK, metric="cpu_s_per_gib",
             downstream=TLS, in_quick=False),
    http2("h2-tls", "over TLS", H2_TLS, in_quick=True),
    http2("h2c", "without TLS", H2C, in_quick=False),
)

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
