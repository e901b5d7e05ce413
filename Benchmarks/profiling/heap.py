"""Who allocates: counts of the preloaded allocations.c for a process from its start, or a probe of malloc in a running one."""
import collections
import os
import re
import struct
import subprocess

from .cpu import Refused, frame_of, perf_path, reason_of
from .symbols import Symbols

DEPTH, STACKS, MAGIC, HEADER = 60, 1 << 16, 0x50414C31, 128
ENTRY = (5 + DEPTH) * 8


class Counts:
    """What has been allocated up to a moment: calls, bytes, and of both what is held, by stack of addresses."""

    def __init__(self, path):
        with open(path, "rb") as file:
            data = file.read()
        magic, depth, stacks, self.calls, self.bytes, self.calls_lost, self.blocks_lost = struct.unpack_from("<7Q", data)
        if (magic, depth, stacks) != (MAGIC, DEPTH, STACKS):
            raise Refused("the allocator's calls were not counted: is the program linked statically, or set-user-ID?")
        self.stacks = {}
        for at in range(HEADER, HEADER + STACKS * ENTRY, ENTRY):
            size, calls, count, freed_calls, freed = struct.unpack_from("<5Q", data, at)
            if size:
                self.stacks[struct.unpack_from(f"<{size}Q", data, at + 40)] = (calls, count, calls - freed_calls, count - freed)

    def since(self, before):
        """What has been allocated since, by the same columns; what was freed meanwhile may be older, so that less may be held."""
        nothing = (0, 0, 0, 0)
        changes = {stack: tuple(now - then for now, then in zip(row, before.stacks.get(stack, nothing)))
                   for stack, row in self.stacks.items()}
        return {stack: row for stack, row in changes.items() if any(row)}


def library(directory):
    """Compiles what is preloaded; the path."""
    path = f"{directory}/allocations.so"
    source = f"{os.path.dirname(os.path.abspath(__file__))}/allocations.c"
    built = subprocess.run(
        ["cc", "-O1", "-fno-optimize-sibling-calls", "-shared", "-fPIC", "-o", path, source, "-lgcc_s"],
        capture_output=True, text=True)
    if built.returncode != 0:
        raise Refused(f"allocations.c does not compile: {built.stderr[-300:]}")
    return path


def named(stacks, symbols):
    """Columns of counts by stack of frames."""
    result = collections.defaultdict(lambda: [0, 0, 0, 0])
    for addresses, values in stacks.items():
        # The innermost address is in the caller of the allocator: all are where calls return to.
        frames = symbols.stack([0, *addresses])
        for column, value in enumerate(values):
            result[frames][column] += value
    return result


def symbols_of(process, program):
    with open(f"/proc/{process}/maps") as file:
        return Symbols(file.read(), program)


def by_probe(process, program, seconds, directory):
    """Calls and bytes of a running process, by a probe of the kernel's at malloc and its like (uprobes; as root)."""
    perf = perf_path()
    if not perf:
        raise Refused("perf: there is none (Debian's package is linux-perf)")
    with open(f"/proc/{process}/maps") as file:
        libc = next((line.split()[-1] for line in file if re.search(r"/libc(\.so\.6|-[\d.]+\.so)$", line.strip())), None)
    if not libc:
        raise Refused("the process has no libc of its own to put a probe into")
    group = f"uproxy_{os.getpid()}"
    registers = {"x86_64": ("%di", "%si", "%sp"), "aarch64": ("%x0", "%x1", None)}.get(os.uname().machine)
    if not registers:
        raise Refused(f"where arguments are passed on {os.uname().machine} is not known here")
    first, second, stack = registers
    # At a function's first instruction the caller's frame is not linked yet; where it returns to stands on the stack, or in x30.
    caller = f"caller=+0({stack}):x64" if stack else "caller=%x30:x64"
    probes = {
        "malloc": f"size={first}:u64", "calloc": f"items={first}:u64 size={second}:u64",
        "realloc": f"size={second}:u64", "posix_memalign": f"size={'%dx' if stack else '%x2'}:u64",
        "aligned_alloc": f"size={second}:u64"}
    try:
        for name, arguments in probes.items():
            made = subprocess.run(
                [perf, "probe", "-q", "-x", libc, f"{group}:{name}={name} {caller} {arguments}"], capture_output=True, text=True)
            if made.returncode != 0:
                raise Refused(f"perf probe: {reason_of(made.stderr)}")
        data = f"{directory}/perf.data"
        recorded = subprocess.run(
            [perf, "record", "-q", "-e", f"{group}:*", "--call-graph", "fp", "-o", data, "-p", str(process), "--", "sleep", str(seconds)],
            capture_output=True, text=True)
        if recorded.returncode != 0:
            raise Refused(f"perf record: {reason_of(recorded.stderr)}")
        script = subprocess.run(
            [perf, "script", "-i", data, "-F", "event,trace,ip,sym,dso", "--no-demangle", "--no-inline"], capture_output=True,
            text=True, errors="replace")
    finally:
        subprocess.run([perf, "probe", "-q", "-d", f"{group}:*"], capture_output=True)
    return read_probes(script.stdout, program, symbols_of(process, program))


def read_probes(text, program, symbols):
    program = os.path.realpath(program)
    result = collections.defaultdict(lambda: [0, 0, 0, 0])
    size, frames = None, []
    for line in [*text.splitlines(), ""]:
        if not line.strip():
            if size is not None:
                counts = result[tuple(reversed(frames))]
                counts[0] += 1
                counts[1] += size
            size, frames = None, []
        elif size is None:
            values = dict(re.findall(r"\b(caller|items|size)=(?:0x)?([0-9a-f]+)", line))
            size = int(values.get("size", "0")) * int(values.get("items", "1"))
            caller = symbols.frame(int(values.get("caller", "0"), 16) - 1)
        else:
            found = re.match(r"\s+([0-9a-f]+) (.*) \((.*)\)$", line)
            if found:
                frames.append(frame_of(*found.groups()[1:], program))
                # Kernels from 6.12 on know of the caller where a function begins with its frame pointer.
                if len(frames) == 1 and caller:
                    frames[0] = caller
                elif len(frames) == 2 and caller and frames[1] == caller:
                    frames.pop()
    return result


def table(columns, readable, heads, top):
    """Text: the stacks that allocate most, the functions nearest to the allocator first."""
    calls, size, _, held = (sum(row[column] for row in columns.values()) for column in range(4))
    told = f", {held:,} bytes of them held at the end" if len(heads) > 2 else ""
    lines = [f"{calls:,} calls, {size:,} bytes{told}", "",
             " ".join(f"{head:>14}" for head in heads) + "  stack, from the allocator's caller on"]
    for frames, row in sorted(columns.items(), key=lambda item: (-item[1][1], -item[1][0]))[:top]:
        names = [readable.get(frame.name, frame.name) for frame in reversed(frames)]
        lines.append(" ".join(f"{value:14,}" for value in row[:len(heads)]) + "  " + " < ".join(names[:8]) + (" < .." if len(names) > 8 else ""))
    if len(columns) > top:
        lines.append(f"{len(columns) - top} more stacks")
    return "\n".join(lines) + "\n"
