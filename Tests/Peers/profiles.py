#!/usr/bin/env python3
"""Flame graphs of a release build by scripts/profile, by each way that this machine permits, and the points that probes attach to.

    UPROXY=path/to/uproxy Tests/Peers/profiles.py [CASE…]
"""
import collections
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import xml.etree.ElementTree as xml

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import Origin, Proxy, Skip, binary, check, exchange, need, run

root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, f"{root}/Benchmarks")
from profiling import flame, stacks

points = {
    "exchange_begin": 2, "exchange_sent": 3, "exchange_failed": 3, "exchange_end": 4, "retry": 2, "connect_failed": 3,
    "refusal": 2, "reload": 1}


def profile(directory, *arguments):
    """Runs scripts/profile; what it told. Raises Skip, with its reason, where this machine permits nothing of the kind."""
    made = subprocess.run(
        [f"{root}/scripts/profile", *arguments, "--output", directory], capture_output=True, text=True, timeout=120,
        env={**os.environ, "UPROXY": os.path.abspath(binary)})
    if made.returncode == 1 and re.search(r"^profile: .*(perf|ptrace)", made.stderr, re.MULTILINE):
        raise Skip(made.stderr.strip().splitlines()[-1])
    check(made.returncode == 0, made.stderr)
    return made.stderr


def profile_cpu(directory, *arguments):
    """The same for CPU time; once more, and longer, where others left the proxy hardly any."""
    for seconds in (2, 10):
        told = profile(directory, "cpu", "--seconds", str(seconds), *arguments)
        taken = read(directory, "cpu")
        if sum(taken.values()) >= 250:
            break
    return told, taken


def read(directory, name):
    """The stacks of an SVG, which have to be those of the folded text beside it."""
    with open(f"{directory}/{name}.svg") as file:
        drawn = read_svg(file.read())
    with open(f"{directory}/{name}.folded") as file:
        text = file.read()
    folded = stacks.unfold(text)
    check(drawn == folded, f"{len(drawn)} stacks with {sum(drawn.values())} in {name}.svg, {len(folded)} with "
                           f"{sum(folded.values())} in {name}.folded")
    check(stacks.fold(folded) == text, f"{name}.folded is not what it is read as")
    return folded


def read_svg(text):
    """What a flame graph shows, as stacks: a frame's own count is what its callees leave of it."""
    image = xml.fromstring(text)
    total = int(image.get("data-total"))
    frames = []
    for group in image.iter("{http://www.w3.org/2000/svg}g"):
        if group.get("class") == "f":
            title = group.find("{http://www.w3.org/2000/svg}title").text
            rectangle = group.find("{http://www.w3.org/2000/svg}rect")
            name = re.fullmatch(r"(.*?)(?: \((?:kernel|library)\))?: [\d,]+ [a-z]+, [\d.]+ %", title, re.DOTALL)[1]
            kind, start, count, level = group.get("data-kind"), *(int(group.get(f"data-{key}")) for key in ("start", "count", "level"))
            # As wide as it counts, from where it starts.
            scale = (flame.WIDTH - 2 * flame.MARGIN) / max(total, 1)
            check(abs(float(rectangle.get("x")) - flame.MARGIN - start * scale) < 0.02, title)
            check(abs(float(rectangle.get("width")) - max(count * scale - 0.3, 0.1)) < 0.02, title)
            frames.append((level, start, count, stacks.Frame(name, kind)))
    result = collections.Counter()
    path = []  # Of those that enclose the next one.
    for level, start, count, frame in sorted(frames, key=lambda frame: (frame[1], frame[0])):
        del path[level:]
        check(len(path) == level, f"{frame} stands on nothing")
        path.append(frame)
        stack = tuple(path[1:])
        result[stack] += count
        if level:
            result[stack[:-1]] -= count
    check(sum(result.values()) == total, f"{sum(result.values())} of {total}")
    return +result


def check_names(taken, *wanted):
    share = stacks.share_named(taken)
    check(share >= 0.9, f"{share:.3f} of the program's frames have names: "
          + " ".join(sorted({frame.name for stack in taken for frame in stack
                             if frame.kind == stacks.PROGRAM and not stacks.has_name(frame.name)})[:20]))
    names = {frame.name for stack in taken for frame in stack}
    for name in wanted:
        check(any(name in known for known in names), f"no {name} among {sorted(names)[:200]}")
    return share


def by_perf(driver):
    """Under load, with perf: the engine's functions by their Swift names; a tower for each thread if asked."""
    with tempfile.TemporaryDirectory() as directory:
        # Calls of the C library that the epoll driver makes lose their callers without unwind tables.
        unwind = ("--unwind", "dwarf") if driver == "epoll" else ()
        told, taken = profile_cpu(directory, "--sampler", "perf", "--io", driver, "--threads-apart", *unwind)
        share = check_names(taken, "processTurn", "Engine.")
        towers = {stack[0] for stack in taken}
        check(stacks.Frame("worker-0", stacks.THREAD) in towers, towers)
        check(all(tower.kind == stacks.THREAD for tower in towers), towers)
        kernel = sum(count for stack, count in taken.items() if any(frame.kind == stacks.KERNEL for frame in stack))
        check((kernel > 0) == ("the kernel's part is not seen" not in told), told)
        cut = re.search(r"(\d+) % of the stacks do not reach", told)
        check(not cut or int(cut[1]) < 10, told)
        return f"{sum(taken.values())} samples, {100 * share:.1f} % named, {100 * kernel / sum(taken.values()):.0f} % in the kernel"


def by_ptrace(driver):
    """The same where perf is not permitted: the proxy answers all the while."""
    with tempfile.TemporaryDirectory() as directory:
        _, taken = profile_cpu(directory, "--sampler", "ptrace", "--io", driver)
        share = check_names(taken, "Engine.processTurn()", "WorkerThread.run()")
        return f"{sum(taken.values())} samples, {100 * share:.1f} % named"


def running(driver):
    """A proxy that runs already, by what is permitted; it goes on afterwards."""
    with Origin() as origin, Proxy(driver, "--threads", "1", "--listen", "127.0.0.1:0", "--upstream", origin.address) as proxy:
        over = threading.Event()

        def ask():
            client = proxy.connect()
            while not over.is_set():
                exchange(client)

        clients = [threading.Thread(target=ask) for _ in range(2)]
        for client in clients:
            client.start()
        try:
            with tempfile.TemporaryDirectory() as directory:
                profile(directory, "cpu", "--pid", str(proxy.pid), "--seconds", "2")
                check_names(read(directory, "cpu"), "processTurn")
        finally:
            over.set()
            for client in clients:
                client.join()
        exchange(proxy.connect())


def ending(driver):
    """A proxy that ends while it is looked at: it drains, and its stacks up to then are drawn."""
    with Origin() as origin, tempfile.TemporaryDirectory() as directory, Proxy(
        driver, "--threads", "2", "--listen", "127.0.0.1:0", "--upstream", origin.address) as proxy:
        script = subprocess.Popen(
            [f"{root}/scripts/profile", "cpu", "--pid", str(proxy.pid), "--seconds", "60", "--sampler", "ptrace", "--output", directory],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        clients = [proxy.connect() for _ in range(4)]
        while script.poll() is None and "TracerPid:\t0\n" in open(f"/proc/{proxy.pid}/status").read():
            exchange(clients[0])
        for _ in range(200):
            for client in clients:
                exchange(client)
        check(proxy.stop() == 0, f"exit status {proxy.process.returncode}")
        told = script.communicate(timeout=30)[1]
        if "ptrace of process" in told:
            raise Skip(told.strip())
        check(script.returncode == 0, told)
        check_names(read(directory, "cpu"))


def allocations(driver):
    """Who allocates, from the start on: all is found, what is freed is not held; a warm proxy hardly allocates."""
    with tempfile.TemporaryDirectory() as directory:
        told = profile(directory, "allocations", "--seconds", "1", "--io", driver)
        calls, held = read(directory, "allocations-calls"), read(directory, "allocations-held")
        sizes = read(directory, "allocations-bytes")
        check_names(calls, "Server", "Worker")
        check(0 < sum(held.values()) < sum(sizes.values()), f"{sum(held.values())} of {sum(sizes.values())} bytes are held")
        check(all(count <= sizes[stack] for stack, count in held.items()), "more held than allocated")
        with open(f"{directory}/allocations.txt") as file:
            head = file.readline()
        check(head.startswith(f"{sum(calls.values()):,} calls, {sum(sizes.values()):,} bytes, {sum(held.values()):,} bytes"), head)
        warm = int(re.search(r"warm, under load for 1 s: ([\d,]+) calls", told)[1].replace(",", ""))
        check(warm < 100, f"{warm} calls by a warm proxy")
        return f"{sum(calls.values())} calls, {warm} by a warm proxy"


def drawing(driver):
    """Names that markup and the folded text would take for their own; depth; nothing at all."""
    program, kernel = stacks.PROGRAM, stacks.KERNEL
    odd = collections.Counter({
        (stacks.Frame('<T> & "é" ]]>', program), stacks.Frame("a (kernel): 3 samples, 1.00 %", kernel)): 3,
        (stacks.Frame('<T> & "é" ]]>', program),): 2,
        tuple(stacks.Frame(f"f{at}", program) for at in range(2000)): 5})
    check(read_svg(flame.render(odd, "t <&>", "s", "samples")) == odd, "what was drawn is not what was given")
    check(stacks.unfold(stacks.fold(odd)) == odd, "what was folded is not what was given")
    check(flame.render(odd, "t", "s", "samples") == flame.render(odd, "t", "s", "samples"), "two drawings differ")
    check(not read_svg(flame.render(collections.Counter(), "t", "s", "samples")), "something of nothing")
    names = stacks.demangled({"$s11UringProxy6EngineV", "$sSS", "main", "_ZNSt6vectorIiE4sizeEv"})
    check(names.get("$sSS") == "String" and "main" not in names, names)


def probe_points(driver):
    """Each point is in the program's file as a static probe, and a symbol of its own."""
    need("readelf")
    notes = subprocess.run(["readelf", "--notes", "--wide", binary], capture_output=True, text=True).stdout
    found = dict(re.findall(r"Provider: uproxy\s+Name: (\w+)\s.*?Arguments: ([^\n]*)", notes, re.DOTALL))
    check({name: len(text.split()) for name, text in found.items()} == points, found)
    symbols = subprocess.run(["readelf", "--symbols", "--wide", binary], capture_output=True, text=True).stdout
    for name in points:
        check(re.search(rf" FUNC .* uproxy_probe_{name}$", symbols, re.MULTILINE), f"no symbol uproxy_probe_{name}")


def probes(driver):
    """What uprobes at the points see of some requests is what came of these."""
    perf, registers = need("perf"), {"x86_64": ("%di", "%si"), "aarch64": ("%x0", "%x1")}.get(os.uname().machine)
    if not registers:
        raise Skip(f"registers of {os.uname().machine}")
    group = f"points_{os.getpid()}"
    with tempfile.TemporaryDirectory() as directory:
        try:
            for name in ("exchange_begin", "exchange_end", "refusal"):
                made = subprocess.run(
                    [perf, "probe", "-q", "-x", os.path.realpath(binary),
                     f"{group}:{name}=uproxy_probe_{name} first={registers[0]}:u64 second={registers[1]}:u64"],
                    capture_output=True, text=True)
                if made.returncode != 0:
                    raise Skip(f"perf probe: {made.stderr.strip().splitlines()[:1]}")
            with Origin() as origin, Proxy(
                driver, "--histograms", "on", "--listen", "127.0.0.1:0", "--upstream", origin.address) as proxy:
                record = subprocess.Popen(
                    [perf, "record", "-q", "-e", f"{group}:*", "-o", f"{directory}/data", "-p", str(proxy.pid), "--control",
                     f"fifo:{fifo(directory, 'control')},{fifo(directory, 'answer')}", "-D", "-1"], stderr=subprocess.PIPE)
                with open(f"{directory}/control", "w") as control, open(f"{directory}/answer") as answer:
                    control.write("enable\n")
                    control.flush()
                    answer.readline()
                client = proxy.connect()
                for _ in range(3):
                    exchange(client)
                exchange(proxy.connect(), b"GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n")
                record.send_signal(signal.SIGINT)
                told = record.communicate(timeout=20)[1].decode()
            events = subprocess.run(
                [perf, "script", "-i", f"{directory}/data", "-F", "event,trace"], capture_output=True, text=True).stdout
        finally:
            subprocess.run([perf, "probe", "-q", "-d", f"{group}:*"], capture_output=True)
    seen = [(name, int(first), int(second)) for name, first, second in re.findall(
        rf"{group}:(\w+):.*?first=(\d+) second=(\d+)", events)]
    begun = [first for name, first, _ in seen if name == "exchange_begin"]
    ended = [(first, second) for name, first, second in seen if name == "exchange_end"]
    check(len(set(begun)) == 3, f"{events}\n{told}")
    check(sorted(ended) == sorted((identifier, 200) for identifier in begun), events)
    check([second for name, _, second in seen if name == "refusal"] == [400], events)


def fifo(directory, name):
    os.mkfifo(f"{directory}/{name}")
    return f"{directory}/{name}"


drawing.drivers = probe_points.drivers = ["epoll"]
running.drivers = ["uring"]
# What they show is no driver's.
ending.drivers = allocations.drivers = probes.drivers = ["epoll"]

if __name__ == "__main__":
    run([drawing, probe_points, by_perf, by_ptrace, running, ending, allocations, probes])
