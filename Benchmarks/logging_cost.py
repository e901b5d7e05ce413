"""What seeing inside costs: CPU per request of the proxy with histograms, flight recorder, traces and access logs, against the same
program with nothing on.

One run after the other in each round (A B C, A B C), the proxy on CPU 0, client (wrk) and origin on CPU 1; printed are medians of what
each round's runs say of its first one. Two CPUs with other work make single pairs differ by a fifth and more: take many rounds.
"""
import argparse
import os
import re
import socket
import statistics
import subprocess
import tempfile
import time

CONNECTIONS, WARM_UP, SECONDS = 64, "1s", 4


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def variants(log):
    """What each is called, the program's options, and what the file says of the log."""
    admin = ["--admin", "127.0.0.1:0"]
    json, binary = (f"access_log: {{to: {log}, format: {format}" for format in ("json", "binary"))
    return {
        "nothing": ([], ""),
        "histograms": ([*admin, "--flight-recorder", "off"], ""),
        "recorder": ([*admin, "--histograms", "off"], ""),
        "both": (admin, ""),
        "JSON": ([], json + "}"),
        "binary, 1 in 100": ([], binary + ", sample: 100}"),
        "traces": ([], "tracing: {sample: 100}"),
        "everything": (admin, json + "}\ntracing: {sample: 100}"),
    }


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def await_port(port, process):
    for _ in range(500):
        if process.poll() is not None:
            raise SystemExit(f"it ended: {process.args}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise SystemExit(f"nobody listens at port {port}")


def load(port, duration):
    """Requests that were answered."""
    said = subprocess.run(
        ["taskset", "-c", "1", "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{duration}", f"http://127.0.0.1:{port}/size/128"],
        capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(f"void, for there were errors:\n{said}")
    return int(re.search(r"(\d+) requests in", said)[1])


def measure(program, folder, origin, options, log):
    """CPU microseconds of a request."""
    port = free_port()
    path = f"{folder}/uproxy.yaml"
    with open(path, "w") as file:
        file.write(f'listeners: [{{address: "127.0.0.1:{port}"}}]\nclusters: {{c: {{endpoints: "127.0.0.1:{origin}"}}}}\n{log}\n')
    command = ["taskset", "-c", "0", program, "--config", path, "--threads", "1", *options]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as proxy:
        try:
            await_port(port, proxy)
            load(port, WARM_UP)
            before = cpu_seconds(proxy.pid)
            requests = load(port, f"{SECONDS}s")
            return (cpu_seconds(proxy.pid) - before) / requests * 1e6
        finally:
            proxy.terminate()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proxy", required=True, help="uproxy (release)")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    # In memory: what is measured is no disk.
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        log = f"{folder}/access.log"
        port = free_port()
        with subprocess.Popen(
                ["taskset", "-c", "1", arguments.proxy, "origin", "--listen", f"127.0.0.1:{port}", "--threads", "1"],
                stderr=subprocess.DEVNULL) as origin:
            try:
                await_port(port, origin)
                measured = {name: [] for name in variants(log)}
                for _ in range(arguments.rounds):
                    for name, (options, text) in variants(log).items():
                        measured[name].append(measure(arguments.proxy, folder, port, options, text))
                        if os.path.exists(log):
                            os.remove(log)
            finally:
                origin.terminate()
    print(f"{'on':20} {'µs a request':>12} {'to nothing':>10}   of single rounds")
    for name, figures in measured.items():
        ratios = [figure / base for figure, base in zip(figures, measured["nothing"])]
        print(f"{name:20} {statistics.median(figures):12.2f} {statistics.median(ratios):10.3f}   {min(ratios):.3f} to {max(ratios):.3f}")


if __name__ == "__main__":
    main()
