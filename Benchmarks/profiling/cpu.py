"""Where the CPU time of a process goes: stacks by the kernel's sampler (perf), or by ours where that is not permitted."""
import collections
import os
import re
import shutil
import subprocess
import tempfile

from .stacks import KERNEL, LIBRARY, PROGRAM, THREAD, Frame, unknown
from .symbols import Symbols


class Refused(Exception):
    """This machine does not let us; why, for the user."""


class Sampling:
    """Stacks, how they were taken, and what is to be known about them."""

    def __init__(self, stacks, tool, notes=()):
        self.stacks, self.tool, self.notes = stacks, tool, list(notes)


def perf_path():
    return shutil.which("perf") or shutil.which("perf", path="/usr/bin:/usr/sbin:/bin")


def event_for(perf, process):
    """What this process can be sampled by: cycles, or where a virtual machine counts none, time; without the kernel's frames if
    they are not for us to see."""
    reasons = []
    with tempfile.TemporaryDirectory() as directory:
        for event in ("cycles", "cpu-clock", "cycles:u", "cpu-clock:u"):
            tried = subprocess.run(
                [perf, "record", "-q", "-e", event, "-F", "99", "-g", "-o", f"{directory}/data", "-p", str(process), "--",
                 "sleep", "0.01"], capture_output=True, text=True)
            if tried.returncode == 0 and not tried.stderr.strip():
                return event
            reasons.append(tried.stderr.strip())
    raise Refused(f"perf: {reason_of(reasons[-1] or reasons[1] or 'refused without a reason')}")


def reason_of(text):
    """The first sentence of perf's pages of advice."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and line.strip() != "Error:"]
    paranoia = read_setting("/proc/sys/kernel/perf_event_paranoid")
    return f"{lines[0] if lines else text} (kernel.perf_event_paranoid is {paranoia})"


def read_setting(path):
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:
        return "unknown"


# How far a copy of the stack reaches that is unwound later, and how often one is taken then: 10 MB a second of a CPU.
COPIED, COPIES = 32_768, 299


def by_perf(process, program, hertz, seconds, directory, unwind):
    perf = perf_path()
    if not perf:
        raise Refused("perf: there is none (Debian's package is linux-perf)")
    event = event_for(perf, process)
    data = f"{directory}/perf.data"
    graph = "fp"
    if unwind == "dwarf":
        graph, hertz = f"dwarf,{COPIED}", min(hertz, COPIES)
    recorded = subprocess.run(
        [perf, "record", "-q", "-e", event, "-F", str(hertz), "--call-graph", graph, "-o", data, "-p", str(process), "--",
         "sleep", str(seconds)], capture_output=True, text=True)
    if recorded.returncode != 0:
        raise Refused(f"perf: {reason_of(recorded.stderr)}")
    # Inlined functions would be asked of addr2line, one by one.
    script = subprocess.run(
        [perf, "script", "-i", data, "-F", "comm,tid,ip,sym,dso", "--no-demangle", "--no-inline"],
        capture_output=True, text=True, errors="replace")
    if script.returncode != 0:
        raise Refused(f"perf script: {reason_of(script.stderr)}")
    # Of cycles where there are none perf makes time, without a word.
    event = subprocess.run([perf, "evlist", "-i", data], capture_output=True, text=True).stdout.strip() or event
    notes = []
    if ":u" in event:
        notes.append("the kernel's part is not seen: it needs CAP_PERFMON, or kernel.perf_event_paranoid of at most 1")
    stacks = read_script(script.stdout, program)
    cut = share_cut(stacks)
    if cut > 0.02:
        notes.append(
            f"{100 * cut:.0f} % of the stacks do not reach their thread's beginning: libraries keep no frame pointers"
            + ("; --unwind dwarf reaches further" if unwind == "fp" else ""))
    return Sampling(stacks, f"perf, {event}, {'frame pointers' if unwind == 'fp' else 'unwind tables'}", notes)


def share_cut(stacks):
    """Of stacks with user frames, how many do not begin where threads do."""
    seen, cut = 0, 0
    for stack, count in stacks.items():
        first = next((frame for frame in stack if frame.kind in (PROGRAM, LIBRARY)), None)
        if first:
            seen += count
            cut += count * (not re.match(r"_*(start|start_thread|clone3?|thread_start|libc_start.*)$|\[libc\.|main$", first.name))
    return cut / seen if seen else 0


def read_script(text, program):
    """What `perf script` prints: a line for each sample, one for each of its frames from the innermost on, and an empty one."""
    program = os.path.realpath(program)
    stacks = collections.Counter()
    thread, frames = None, []
    for line in [*text.splitlines(), ""]:
        if not line.strip():
            if thread is not None:
                stacks[(thread, *reversed(frames))] += 1
            thread, frames = None, []
        elif line[0] in " \t" and thread is not None:
            found = re.match(r"\s+([0-9a-f]+) (.*) \((.*)\)$", line)
            # All bits set: the end of what could be unwound.
            if found and found[1] != "f" * 16:
                frames.append(frame_of(*found.groups()[1:], program))
        else:
            # The name may have blanks; perf pads it on the left.
            found = re.match(r"\s*(.*?)\s+(\d+)\s*:?\s*$", line)
            thread = Frame(found[1] if found else line.strip(), THREAD)
            frames = []
    return stacks


def frame_of(name, place, program):
    place = place.removesuffix(" (deleted)")
    if re.match(r"\[(kernel|guest|bpf|\w+\]$)", place) and place not in ("[vdso]", "[unknown]") or ".ko" in place:
        return Frame("[kernel]" if name == "[unknown]" else name, KERNEL)
    kind = PROGRAM if place == program else LIBRARY
    return Frame(unknown(place.strip("[]")) if name == "[unknown]" else re.sub(r"@+[A-Z]+_[\d.]+$", "", name), kind)


def by_ptrace(process, program, hertz, seconds, directory, _):
    sampler = f"{directory}/sampler"
    built = subprocess.run(
        ["cc", "-O2", "-o", sampler, f"{os.path.dirname(os.path.abspath(__file__))}/sampler.c"], capture_output=True, text=True)
    if built.returncode != 0:
        raise Refused(f"the sampler does not compile: {built.stderr[-300:]}")
    with open(f"/proc/{process}/maps") as file:
        symbols = Symbols(file.read(), program)
    sampled = subprocess.run(
        [sampler, str(process), str(hertz), str(seconds)], capture_output=True, text=True, errors="replace",
        timeout=60 + 4 * seconds)
    if sampled.returncode != 0:
        scope = read_setting("/proc/sys/kernel/yama/ptrace_scope")
        raise Refused(f"{sampled.stderr.strip()} (kernel.yama.ptrace_scope is {scope}; it takes the process's own user or CAP_SYS_PTRACE)")
    stacks = collections.Counter()
    for line in sampled.stdout.splitlines():
        thread, tab, addresses = line.partition("\t")
        if not tab:
            continue
        stack = symbols.stack([int(address, 16) for address in addresses.split()])
        stacks[(Frame(thread.partition(" ")[2], THREAD), *stack)] += 1
    return Sampling(stacks, "own sampler, ptrace", [
        "threads are looked at while they run or wait for a CPU, and are stopped for it: times are rough, and the process is slower meanwhile",
        "what happens in the kernel shows as the system call that it came by"])


WAYS = {"perf": by_perf, "ptrace": by_ptrace}


def sample(way, process, program, hertz, seconds, directory, unwind, say):
    """Tries the ways in turn, or the one that is asked for."""
    refusals = []
    for name in [way] if way != "auto" else WAYS:
        try:
            # Stops disturb more than the kernel's interrupts do.
            rate = min(hertz, 199) if name == "ptrace" else hertz
            return WAYS[name](process, program, rate, seconds, directory, unwind)
        except Refused as refusal:
            refusals.append(str(refusal))
            say(str(refusal) + ("; stacks are taken by ptrace instead" if way == "auto" and name == "perf" else ""))
    raise Refused("no stacks can be taken on this machine: " + "; ".join(refusals))
