"""What one window of load costs a proxy, as the kernel counts it."""
import dataclasses
import os
import re
import shutil
import signal
import subprocess
import time

from . import machine

TICKS = os.sysconf("SC_CLK_TCK")


def children(pid):
    """Every process below `pid`."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            stat = machine.read(f"/proc/{name}/stat")
            if stat:
                parents.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(name))
    found, left = [], [pid]
    while left:
        below = parents.get(left.pop(), [])
        found += below
        left += below
    return found


@dataclasses.dataclass
class Usage:
    """What processes have used since their start. `run` is by thread, in nanoseconds of the scheduler's clock, so that
    it depends neither on ticks nor on what else runs."""

    run: dict
    user: int
    system: int
    voluntary: int
    involuntary: int

    @classmethod
    def of(cls, pids):
        run, user, system, voluntary, involuntary = {}, 0, 0, 0, 0
        for pid in pids:
            fields = machine.read(f"/proc/{pid}/stat").rpartition(")")[2].split()
            if not fields:
                continue
            user += int(fields[11])
            system += int(fields[12])
            for task in os.listdir(f"/proc/{pid}/task"):
                path = f"/proc/{pid}/task/{task}"
                schedstat = machine.read(path + "/schedstat").split()
                status = machine.read(path + "/status")
                if not schedstat or not status:
                    continue
                run[int(task)] = int(schedstat[0])
                voluntary += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status, re.M)[1])
                involuntary += int(re.search(r"^nonvoluntary_ctxt_switches:\s+(\d+)", status, re.M)[1])
        return cls(run, user, system, voluntary, involuntary)

    def since(self, before):
        """Seconds of CPU in all, in user and in kernel mode; switches; threads that did a tenth of the work or more.

        The kernel splits user from system by where ticks fall, so these two share the exact total in that proportion.
        """
        run = {task: spent - before.run.get(task, 0) for task, spent in self.run.items()}
        total = sum(run.values()) / 1e9
        user, system = self.user - before.user, self.system - before.system
        share = user / (user + system) if user + system else 0.0
        return {
            "cpu": total,
            "cpu_user": total * share,
            "cpu_system": total * (1 - share),
            "voluntary": self.voluntary - before.voluntary,
            "involuntary": self.involuntary - before.involuntary,
            "busy_threads": sum(1 for spent in run.values() if spent / 1e9 > total / 10),
        }


def reset_peak(pids):
    """From now on VmHWM is the peak since now (Linux 4.0)."""
    for pid in pids:
        try:
            machine.write(f"/proc/{pid}/clear_refs", "5")
        except OSError:
            pass


def peak_bytes(pids):
    return 1024 * sum(
        int(found[1]) for pid in pids
        if (found := re.search(r"VmHWM:\s+(\d+)", machine.read(f"/proc/{pid}/status"))))


def pss_bytes(pids):
    """Memory in proportion to how many processes share each page."""
    return 1024 * sum(
        int(found[1]) for pid in pids
        if (found := re.search(r"^Pss:\s+(\d+)", machine.read(f"/proc/{pid}/smaps_rollup"), re.M)))


def window(bed, running, work, seconds):
    """Runs `work` against a proxy; what it did, and what that cost."""
    reset_peak(running.pids)
    counted = running.counters()
    origin_before, own_before = bed.origin_stats(), time.process_time()
    busy, stolen, began = machine.busy_seconds(), machine.stolen_seconds(), time.monotonic()
    origin_used, used = Usage.of(bed.origin.pids), Usage.of(running.pids)

    result = work.run(bed, running, seconds)

    spent = Usage.of(running.pids).since(used)
    origin_spent = Usage.of(bed.origin.pids).since(origin_used)
    elapsed = time.monotonic() - began
    busy, stolen = machine.busy_seconds() - busy, machine.stolen_seconds() - stolen
    own = time.process_time() - own_before
    origin_after = bed.origin_stats()

    sample = dict(result)
    requests = max(1, sample["requests"])
    sample.update(spent)
    sample["cpu_us"] = spent["cpu"] * 1e6 / requests
    sample["cpu_user_us"] = spent["cpu_user"] * 1e6 / requests
    sample["cpu_system_us"] = spent["cpu_system"] * 1e6 / requests
    sample["switches_voluntary"] = spent["voluntary"] / requests
    sample["switches_involuntary"] = spent["involuntary"] / requests
    if "full" in sample:
        sample["handshakes_per_cpu_s"] = (sample["full"] + sample["resumed"]) / max(spent["cpu"], 1e-9)
    if work.body_bytes:
        sample["gib"] = sample["requests"] * work.body_bytes / 2**30
        sample["gib_per_second"] = sample["gib"] / sample["seconds"]
        sample["cpu_s_per_gib"] = spent["cpu"] / max(sample["gib"], 1e-9)
    sample["peak_bytes"] = peak_bytes(running.pids)
    sample["error_rate"] = sample["errors"] / requests
    # Ours are one connection and one request of the two reports of the origin.
    sample["accepted"] = origin_after["accepted"] - origin_before["accepted"] - 1
    sample["origin_requests"] = origin_after["requests"] - origin_before["requests"] - 1
    sample["foreign"] = max(0.0, busy - spent["cpu"] - origin_spent["cpu"] - sample.get("tool_cpu", 0) - own) / elapsed
    sample["stolen"] = stolen / elapsed
    sample.setdefault("negotiated", running.negotiated)
    counted_after = running.counters()
    handshakes = ["uproxy_tls_handshakes_total", "uproxy_tls_handshakes_resumed_total"]
    if "full" in sample and handshakes[0] in counted:
        sample["counted_handshakes"] = [counted_after[name] - counted[name] for name in handshakes]
    if "uproxy_turns_total" in counted:
        turns = counted_after["uproxy_turns_total"] - counted["uproxy_turns_total"]
        sample["turns"] = turns / requests
    return sample


class EntryCount:
    """Counts the system calls of processes while it is entered."""

    def __init__(self, pids):
        self.pids = pids
        self.calls, self.futexes, self.method = None, None, self.method_here()

    @staticmethod
    def method_here():
        """perf counts without a stop; strace stops the process at each call, which bends how much is done by one."""
        if shutil.which("perf") and os.path.isdir(machine.TRACING + "/events/raw_syscalls"):
            return "perf"
        return "strace" if shutil.which("strace") else None

    def __enter__(self):
        targets = [str(pid) for pid in self.pids]
        if self.method == "perf":
            command = ["perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter", "-e", "syscalls:sys_enter_futex",
                       "-p", ",".join(targets)]
        elif self.method == "strace":
            command = ["strace", "-f", "-c", "-U", "calls,name"] + [x for pid in targets for x in ("-p", pid)]
        else:
            return self
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)
        time.sleep(0.2)
        return self

    def __exit__(self, *_):
        if self.method is None:
            return
        self._process.send_signal(signal.SIGINT)
        text = self._process.communicate(timeout=20)[1]
        if self.method == "perf":
            counts = {name: int(number) for number, name in re.findall(r"^(\d+),[^,]*,([\w:]+),", text, re.M)}
            self.calls = counts.get("raw_syscalls:sys_enter")
            self.futexes = counts.get("syscalls:sys_enter_futex")
        else:
            counts = {name: int(number) for number, name in re.findall(r"^\s*(\d+)\s+(\w+)\s*$", text, re.M)}
            self.calls, self.futexes = counts.get("total"), counts.get("futex", 0)


def entries(bed, running, work, seconds):
    """Kernel entries, and those for a lock somebody else holds, per request, in a window of their own."""
    with EntryCount(running.pids) as count:
        result = work.run(bed, running, seconds)
    if count.calls is None:
        return {}
    requests = max(1, result["requests"])
    found = {"entries": count.calls / requests, "entries_method": count.method}
    if count.futexes is not None:
        found["futexes"] = count.futexes / requests
    return found
