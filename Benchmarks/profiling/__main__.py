"""What scripts/profile runs: flame graphs of CPU time and of allocations."""
import argparse
import contextlib
import os
import sys
import tempfile
import time

from . import cpu, flame, heap, stacks, traffic


def say(text):
    print(f"profile: {text}", file=sys.stderr, flush=True)


def options():
    parser = argparse.ArgumentParser(
        prog="scripts/profile", description="Flame graphs of the proxy: of its CPU time, or of who allocates.",
        epilog="Options after -- are the proxy's, which is started in front of `uproxy origin` with wrk as its load if there is no --pid.")
    parser.add_argument("what", choices=("cpu", "allocations"))
    parser.add_argument("--pid", type=int, help="a running proxy, instead of one that is started")
    parser.add_argument("--seconds", type=float, default=10, help="how long (default: 10)")
    parser.add_argument("--hertz", type=int, default=997, help="samples a second of each CPU (default: 997; at most 199 by ptrace)")
    parser.add_argument("--threads-apart", action="store_true", help="a tower for each thread")
    parser.add_argument("--sampler", choices=("auto", *cpu.WAYS), default="auto", help="what takes the stacks (default: what is permitted)")
    parser.add_argument(
        "--unwind", choices=("fp", "dwarf"), default="fp",
        help="how perf finds callers: by frame pointers, or by unwind tables of a copy of the stack, which goes through libraries too "
             "and is slower (default: fp)")
    parser.add_argument("--warm", action="store_true", help="of allocations those alone that are made under load, not those of the start")
    parser.add_argument("--top", type=int, default=40, help="lines of the table of allocations (default: 40)")
    parser.add_argument("--output", default="profile", metavar="DIRECTORY", help="where the files go (default: profile)")
    load = parser.add_argument_group("the proxy that is started")
    load.add_argument("--threads", type=int, default=1, help="its workers (default: 1)")
    load.add_argument("--io", choices=("uring", "epoll"), help="its driver (default: its own choice)")
    load.add_argument("--connections", type=int, default=64, help="of the load (default: 64)")
    load.add_argument("--path", default="/size/128", help="what is asked for (default: /size/128; see uproxy origin)")
    parser.add_argument("--binary", help=argparse.SUPPRESS)
    arguments, own = sys.argv[1:], []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, own = arguments[:at], arguments[at + 1:]
    chosen = parser.parse_args(arguments)
    if chosen.pid and own:
        parser.error("a running proxy takes no options: leave out what comes after --")
    if not 0 < chosen.seconds <= 3600:
        parser.error("--seconds: from more than 0 to 3600")
    if not 0 < chosen.hertz <= 10_000:
        parser.error("--hertz: from 1 to 10000")
    return chosen, own


def program_of(process):
    try:
        # In its own root, and with its name where the file has been replaced since.
        return os.readlink(f"/proc/{process}/exe").removesuffix(" (deleted)")
    except FileNotFoundError:
        raise cpu.Refused(f"there is no process {process}") from None
    except PermissionError:
        raise cpu.Refused(f"process {process} belongs to another user: run as that user, or as root") from None


def write(directory, name, text):
    path = f"{directory}/{name}"
    with open(path, "w") as file:
        file.write(text)
    print(path)



@contextlib.contextmanager
def subject(chosen, own, environment=None):
    """The process to look at, its program, and its load."""
    if chosen.pid:
        yield chosen.pid, program_of(chosen.pid), None
    else:
        with traffic.under_load(chosen.binary, chosen, own, environment) as (process, load):
            yield process.pid, os.path.realpath(chosen.binary), load


def profile_cpu(chosen, own, directory):
    with subject(chosen, own) as (process, program, load):
        sampling = cpu.sample(chosen.sampler, process, program, chosen.hertz, chosen.seconds, directory, chosen.unwind, say)
        rate = load.stop() if load else None
    taken = sampling.stacks
    if not chosen.threads_apart:
        merged = stacks.collections.Counter()
        for stack, count in taken.items():
            merged[stack[1:]] += count
        taken = merged
    taken = stacks.demangle(taken)
    total = sum(taken.values())
    if not total:
        raise cpu.Refused(f"no sample in {chosen.seconds:g} s: the process had nothing to do")
    subtitle = f"{total:,} samples in {chosen.seconds:g} s, {sampling.tool}"
    if rate:
        subtitle += f"; {rate:,.0f} requests a second of {chosen.path} on {chosen.connections} connections"
    os.makedirs(chosen.output, exist_ok=True)
    write(chosen.output, "cpu.folded", stacks.fold(taken))
    write(chosen.output, "cpu.svg", flame.render(taken, f"CPU of {os.path.basename(program)}", subtitle, "samples"))
    say(subtitle)
    for note in sampling.notes:
        say(note)
    warn_of_names(taken)


def warn_of_names(taken):
    share = stacks.share_named(taken)
    say(f"{100 * share:.1f} % of the program's frames have names")
    if share < 0.9:
        say("has the program been stripped? scripts/build leaves its symbols in it")


def profile_allocations(chosen, own, directory):
    if chosen.pid:
        program = program_of(chosen.pid)
        columns = heap.by_probe(chosen.pid, program, chosen.seconds, directory)
        heads, tool = ("calls", "bytes"), f"in {chosen.seconds:g} s, probes of malloc"
    else:
        counted = f"{directory}/counted"
        environment = {"LD_PRELOAD": heap.library(directory), "ALLOCATION_PROFILE_FILE": counted}
        # The origin is this program too, and not to be counted.
        with subject(chosen, own, environment) as (process, program, load):
            before = heap.Counts(counted)
            time.sleep(chosen.seconds)
            counts = heap.Counts(counted)
            symbols = heap.symbols_of(process, program)
            load.stop()
        taken = counts.since(before) if chosen.warm else counts.stacks
        columns = heap.named(taken, symbols)
        heads, tool = ("calls", "bytes", "calls held", "bytes held"), "preloaded" if chosen.warm else "preloaded, from the start on"
        if counts.calls_lost or counts.blocks_lost:
            say(f"{counts.calls_lost:,} calls had too many stacks, {counts.blocks_lost:,} blocks were too many to be held")
        warm_calls, warm_bytes = counts.calls - before.calls, counts.bytes - before.bytes
        tool += f"; warm, under load for {chosen.seconds:g} s: {warm_calls:,} calls, {warm_bytes:,} bytes"
    readable = stacks.demangled({frame.name for frames in columns for frame in frames})
    os.makedirs(chosen.output, exist_ok=True)
    write(chosen.output, "allocations.txt", heap.table(columns, readable, heads, chosen.top))
    drawings = [(0, "calls", "calls"), (1, "bytes", "bytes"), (3, "held", "bytes")]
    for column, name, unit in drawings[:2] if chosen.pid else drawings:
        taken = stacks.demangle({frames: row[column] for frames, row in columns.items() if row[column] > 0})
        if not taken:
            say(f"no {name}: nothing to draw")
            continue
        write(chosen.output, f"allocations-{name}.folded", stacks.fold(taken))
        write(chosen.output, f"allocations-{name}.svg", flame.render(
            taken, f"Allocations of {os.path.basename(program)}: {'bytes held' if name == 'held' else name}",
            f"{sum(taken.values()):,} {unit}, {tool}", unit))
    say(tool)


def main():
    chosen, own = options()
    with tempfile.TemporaryDirectory() as directory:
        try:
            (profile_cpu if chosen.what == "cpu" else profile_allocations)(chosen, own, directory)
        except (cpu.Refused, traffic.Failed) as why:
            say(str(why))
            sys.exit(1)


if __name__ == "__main__":
    main()
