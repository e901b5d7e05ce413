"""The load generators, and one shape for what they report: requests, errors, seconds, bytes, latency in microseconds."""
import csv
import io
import json
import os
import re
import resource
import shutil
import subprocess
import tempfile

from .terms import Void

PERCENTILES = ("p50", "p75", "p90", "p95", "p99", "p99.9")

WRK_REPORT = """
done = function(summary, latency, requests)
    local e = summary.errors
    io.write(string.format("REPORT %.0f %.0f %.0f %.0f %.3f %.0f", summary.requests, summary.duration, summary.bytes,
        e.connect + e.read + e.write + e.status + e.timeout, latency.mean, latency.max))
    for _, p in ipairs({50, 75, 90, 95, 99, 99.9}) do io.write(string.format(" %.0f", latency:percentile(p))) end
    io.write("\\n")
end
"""


def require(program):
    if not shutil.which(program):
        raise Void(f"there is no {os.path.basename(program)} here; scripts/bench installs it where it can")


def run(cpus, command, timeout, statuses=(0,)):
    """A program's output, and the CPU seconds it used. It has a session of its own, as the proxies have: the scheduler
    weighs sessions."""
    require(command[0])
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    name = os.path.basename(command[0])
    try:
        done = subprocess.run(
            ["taskset", "-c", ",".join(map(str, cpus)), *command], capture_output=True, text=True, timeout=timeout,
            stdin=subprocess.DEVNULL, start_new_session=True, check=False)
    except subprocess.TimeoutExpired as error:
        raise Void(f"{name} does not end within {timeout:.0f} s") from error
    if done.returncode not in statuses:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["and says nothing"]
        raise Void(f"{name} ended with {done.returncode}: {last[0]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def wrk(cpus, url, connections, seconds):
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(WRK_REPORT)
        script.flush()
        text, used = run(
            cpus, ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "20s", "--latency",
                   "-s", script.name, url], seconds + 60)
    found = re.search(r"^REPORT (.*)$", text, re.M)
    if not found:
        raise Void(f"wrk reports nothing: {text[-200:]}")
    requests, duration, size, errors, mean, most, *percentiles = map(float, found[1].split())
    return {
        "tool": "wrk", "tool_cpu": used, "requests": int(requests), "seconds": duration / 1e6,
        "rate": requests / duration * 1e6, "bytes_in": int(size), "errors": int(errors),
        "error_detail": "; ".join(re.findall(r"Socket errors.*|Non-2xx.*", text)),
        "mean": mean, "max": most, **dict(zip(PERCENTILES, percentiles)),
    }


def hey(cpus, url, connections, requests):
    """Its table of single requests, for it prints no p99.9 itself."""
    text, used = run(cpus, ["hey", "-n", str(requests), "-c", str(connections), "-o", "csv", url], 120)
    rows = list(csv.DictReader(io.StringIO(text)))
    good = [row for row in rows if row["status-code"] == "200"]
    if not good:
        raise Void("hey got no answer")
    times = sorted(float(row["response-time"]) * 1e6 for row in good)
    seconds = max(float(row["offset"]) + float(row["response-time"]) for row in rows)
    asked = requests // connections * connections
    return {
        "tool": "hey", "tool_cpu": used, "requests": len(good), "seconds": seconds, "rate": len(good) / seconds,
        "bytes_in": None, "errors": asked - len(good), "error_detail": "hey counts 200 only",
        "mean": sum(times) / len(times), "max": times[-1],
        **{p: times[min(len(times) - 1, int(len(times) * float(p[1:]) / 100))] for p in PERCENTILES},
    }


def h2load(cpus, url, connections, seconds, streams=0, requests=0):
    """HTTP/1.1, or HTTP/2 if `streams` says how many requests of a connection are under way; `requests` in place of
    seconds, if there are any."""
    how = ["-m", str(streams)] if streams else ["--h1"]
    how += ["-n", str(requests)] if requests else ["-D", f"{max(1, round(seconds))}"]
    text, used = run(cpus, ["h2load", *how, "-t1", "-c", str(connections), url], seconds + 60)
    counts = re.search(r"requests: .* (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", text)
    rate = re.search(r"finished in ([\d.]+)(ms|s|us), ([\d.]+) req/s", text)
    size = re.search(r"traffic: \S+ \((\d+)\) total", text)
    times = re.search(r"time for request:\s+\S+\s+(\S+)\s+(\S+)", text)
    if not (counts and rate and size and times):
        raise Void(f"h2load reports nothing: {text[-200:]}")
    agreed = re.findall(r"^(?:TLS Protocol|Cipher|Server Temp Key|Application protocol): (.*)$", text, re.M)
    good, failed = int(counts[2]), int(counts[3]) + int(counts[4]) + int(counts[5])
    return {
        "tool": "h2load", "tool_cpu": used, "requests": good, "seconds": good / float(rate[3]),
        "rate": float(rate[3]), "bytes_in": int(size[1]), "errors": failed, "error_detail": counts[0],
        "max": microseconds(times[1]), "mean": microseconds(times[2]), "negotiated": ", ".join(agreed) or None,
    }


def microseconds(text):
    number, unit = re.match(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 1, "ms": 1e3, "s": 1e6}[unit]


def handshakes(cpus, port, work, seconds):
    """Our own client: a TLS connection for each request."""
    text, used = run(
        cpus, ["handshakes", "--port", str(port), "--connections", str(work.connections), "--seconds", f"{seconds:g}",
               "--path", work.path, "--bytes", str(work.size), *["--resume"] * work.resumes], seconds + 60, (0, 1))
    report = json.loads(text)
    tickets = round(report["tickets"] / max(1, report["full"] + report["resumed"]))
    return {
        "tool": "handshakes", "tool_cpu": used, "rate": report["requests"] / report["seconds"],
        "error_detail": report["first_error"], "negotiated": f"{report['negotiated']}, {tickets} ticket{'s' * (tickets != 1)} each",
        **{name: report[name] for name in ("requests", "seconds", "full", "resumed", "bytes_in", "errors")},
        **report["latency_us"],
    }


def load(program, cpus, kind, arguments, timeout):
    """Our own generator: open loops, bulk, tunnels, what the others cannot do."""
    # It ends with 1 if there were errors, and the report tells which.
    text, used = run(cpus, [program, kind, *arguments], timeout, (0, 1))
    report = json.loads(text)
    return {
        # Of an open loop all that were sent, for the proxy spent CPU on those too that were answered after the window.
        "tool": "load", "tool_cpu": used, "requests": report.get("completed", report["requests"]),
        "in_window": report["requests"], "seconds": report["seconds"],
        "rate": report["requests_per_second"], "bytes_in": report["bytes_in"], "bytes_out": report["bytes_out"],
        "errors": report["errors"]["total"], "error_detail": kinds(report["errors"]),
        "generator_late": report.get("generator_late", False),
        **{name: report["latency_us"][name] for name in ("mean", "max", *PERCENTILES)},
    }


def kinds(errors):
    """Which errors there were, of each kind the first one's status, length or errno."""
    return ", ".join(f"{count} {kind} (first: {errors['first'].get(kind)})" for kind, count in errors.items()
                     if kind not in ("total", "first") and count)


class Held:
    """Connections that `load idle` or `load slow` keeps open while this is entered; all of them, or there is no figure."""

    def __init__(self, bed, proxy, kind, connections, arguments):
        self.name, self.kind, self.connections = proxy.name, kind, connections
        require(bed.bench.load)
        self._process = subprocess.Popen(
            ["taskset", "-c", ",".join(map(str, bed.side_cpus)), bed.bench.load, kind, "--target", proxy.address,
             "--connections", str(connections), *arguments], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True)

    def __enter__(self):
        line = self._process.stdout.readline()
        try:
            self._check("ready", line)
        except Void:
            self._end()
            raise
        return self

    def __exit__(self, kind, *_):
        text = self._end()
        if kind is None:
            self._check("alive", text)

    def _check(self, what, text):
        if not text:
            raise Void(f"load {self.kind} says nothing")
        report = json.loads(text)
        if report[what] != self.connections:
            raise Void(f"{report[what]} of {self.connections} connections to {self.name} are {what} "
                       f"({kinds(report['errors'])})")

    def _end(self):
        """It ends when its input does."""
        try:
            return self._process.communicate(timeout=60)[0]
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.communicate()[0]
