#!/usr/bin/env python3
"""CPU per request of uproxy on io_uring, uproxy on epoll and nginx, side by side in one interleaved run.

The proxies take turns on one CPU; load (wrk) and origin (uproxy origin) share another. CPU time is that of all threads of
the proxy as the scheduler counts it (/proc/PID/task/*/schedstat), so it neither depends on how fast the load side is nor
on what else runs. Figures are printed only if every answer was good and the proxies reused upstream connections alike.

Exit status: 0; 1 if uproxy on io_uring needed more CPU per request than nginx; 2 if the measurement is void.
"""
import argparse
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

PROXY_CPU, LOAD_CPU = 0, 1


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    void(f"nothing listens on port {port}")


def void(reason):
    print(f"void: {reason}", file=sys.stderr)
    sys.exit(2)


def start(cpu, *command, **options):
    return subprocess.Popen(
        ["taskset", "-c", str(cpu), *command],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, **options)


def cpu_nanoseconds(pid):
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat") as f:
            total += int(f.read().split()[0])
    return total


def cpu_of_others(begin=None):
    """Busy ticks of all CPUs, to tell how much else ran."""
    with open("/proc/stat") as f:
        fields = [int(x) for x in f.readline().split()[1:9]]
    busy = sum(fields) - fields[3] - fields[4]
    return busy


NGINX = """
worker_processes 1; daemon off; pid {dir}/pid; error_log {dir}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off; keepalive_requests 1000000000; client_max_body_size 0;
    client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f;
    uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
    proxy_buffer_size 16k; proxy_buffers 8 32k; proxy_max_temp_file_size 0; proxy_request_buffering off;
    upstream origin {{ server 127.0.0.1:{origin}; keepalive 512; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; }}
    }}
}}
"""


class Proxy:
    def __init__(self, name, port, process, pid):
        self.name, self.port, self.process, self.pid = name, port, process, pid
        self.cpu, self.rate, self.p50, self.p99 = [], [], [], []


def uproxy(binary, io, origin):
    port = free_port()
    process = start(
        PROXY_CPU, binary, "--listen", f"127.0.0.1:{port}", "--upstream", f"127.0.0.1:{origin}",
        "--threads", "1", "--io", io)
    wait_for(port)
    return Proxy(f"uproxy {io}", port, process, process.pid)


def nginx(origin, directory):
    port = free_port()
    path = os.path.join(directory, "nginx.conf")
    with open(path, "w") as f:
        f.write(NGINX.format(dir=directory, origin=origin, port=port))
    process = start(PROXY_CPU, "nginx", "-c", path)
    wait_for(port)
    end = time.monotonic() + 5
    children = []
    while len(children) != 1:
        if time.monotonic() > end:
            void("nginx has no single worker")
        with open(f"/proc/{process.pid}/task/{process.pid}/children") as f:
            children = f.read().split()
    return Proxy("nginx", port, process, int(children[0]))


def milliseconds(text):
    found = re.match(r"([\d.]+)(us|ms|s|m)$", text)
    if not found:
        void(f"wrk reports a latency of {text}")
    number, unit = found.groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[unit]


def load(proxy, arguments):
    before = cpu_nanoseconds(proxy.pid)
    result = subprocess.run(
        ["taskset", "-c", str(LOAD_CPU if arguments.layout == "split" else PROXY_CPU), "wrk", "-t1",
         f"-c{arguments.connections}", f"-d{arguments.seconds}s", "--latency",
         f"http://127.0.0.1:{proxy.port}{arguments.path}"],
        capture_output=True, text=True)
    spent = cpu_nanoseconds(proxy.pid) - before
    text = result.stdout
    if "Non-2xx" in text or "Socket errors" in text:
        void(f"{proxy.name}: {text}")
    requests = int(re.search(r"(\d+) requests in", text)[1])
    if requests == 0:
        void(f"{proxy.name} answered nothing: {text}")
    proxy.cpu.append(spent / 1000 / requests)
    proxy.rate.append(float(re.search(r"Requests/sec:\s*([\d.]+)", text)[1]))
    proxy.p50.append(milliseconds(re.search(r"50%\s+(\S+)", text)[1]))
    proxy.p99.append(milliseconds(re.search(r"99%\s+(\S+)", text)[1]))
    return requests


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--path", default="/size/128")
    parser.add_argument("--layout", choices=["split", "same"], default="split",
                        help="load and origin on another CPU than the proxy, or all on one")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if os.cpu_count() < 2:
        void("two CPUs are needed")

    processes = []
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        try:
            origin_port = free_port()
            origin_cpu = LOAD_CPU if arguments.layout == "split" else PROXY_CPU
            origin = start(
                origin_cpu, arguments.binary, "origin", "--listen", f"127.0.0.1:{origin_port}", "--threads", "1")
            processes.append(origin)
            wait_for(origin_port)
            proxies = []
            for make in (lambda: uproxy(arguments.binary, "uring", origin_port),
                         lambda: uproxy(arguments.binary, "epoll", origin_port),
                         lambda: nginx(origin_port, directory)):
                proxies.append(make())
                processes.append(proxies[-1].process)
            expected = urllib.request.urlopen(f"http://127.0.0.1:{origin_port}{arguments.path}").read()
            for proxy in proxies:
                got = urllib.request.urlopen(f"http://127.0.0.1:{proxy.port}{arguments.path}").read()
                if got != expected:
                    void(f"{proxy.name} does not pass on what the origin sends")
                load(proxy, argparse.Namespace(**{**vars(arguments), "seconds": 1}))
                for series in (proxy.cpu, proxy.rate, proxy.p50, proxy.p99):
                    series.clear()
            for _ in range(arguments.rounds):
                for proxy in proxies:
                    load(proxy, arguments)
        finally:
            for process in processes:
                try:
                    os.killpg(process.pid, signal.SIGTERM)
                    process.wait(10)
                except (ProcessLookupError, subprocess.TimeoutExpired):
                    process.kill()

    reference = statistics.median(proxies[-1].cpu)
    congestion = open("/proc/sys/net/ipv4/tcp_congestion_control").read().strip()
    rows = [{
        "proxy": p.name, "cpu_us_per_request": round(statistics.median(p.cpu), 2),
        "spread": [round(min(p.cpu), 2), round(max(p.cpu), 2)],
        "ratio_to_nginx": round(statistics.median(p.cpu) / reference, 3),
        "requests_per_second": round(statistics.median(p.rate)),
        "p50_ms": round(statistics.median(p.p50), 3), "p99_ms": round(statistics.median(p.p99), 3),
    } for p in proxies]
    if arguments.json:
        print(json.dumps({
            "kernel": os.uname().release, "path": arguments.path, "connections": arguments.connections,
            "layout": arguments.layout, "rounds": arguments.rounds, "seconds": arguments.seconds,
            "congestion_control": congestion, "rows": rows}, indent=1))
    else:
        print(f"{arguments.path}, {arguments.connections} connections, {arguments.rounds} rounds of {arguments.seconds} s, "
              f"{arguments.layout}, {congestion}, Linux {os.uname().release}")
        print("| proxy | CPU µs/request (min–max) | ratio to nginx | requests/s | p50 ms | p99 ms |")
        print("| --- | ---: | ---: | ---: | ---: | ---: |")
        for r in rows:
            print(f"| {r['proxy']} | {r['cpu_us_per_request']} ({r['spread'][0]}–{r['spread'][1]}) | {r['ratio_to_nginx']} "
                  f"| {r['requests_per_second']} | {r['p50_ms']} | {r['p99_ms']} |")
    sys.exit(0 if rows[0]["ratio_to_nginx"] <= 1 else 1)


main()
