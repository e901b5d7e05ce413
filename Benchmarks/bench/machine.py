"""The machine: its network namespace, CPUs, limits, and the facts that a result must name."""
import contextlib
import ctypes
import datetime
import fcntl
import functools
import hashlib
import os
import platform
import re
import resource
import shutil
import socket
import struct
import subprocess

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1

SYSCTL = "/proc/sys/net/ipv4/"
TRACING = "/sys/kernel/tracing"
CPU_USAGE = "/sys/fs/cgroup/cpuacct/cpuacct.usage"
CPU_LATENCY = "/dev/cpu_dma_latency"


def read(path, otherwise=""):
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:
        return otherwise


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


class Network:
    """Where the traffic runs: a namespace of our own if the kernel lets us, the host's otherwise.

    A namespace has its own congestion control, port range and counters, so nothing of the host's is changed and no
    other program's traffic is in the way. The congestion control matters: on loopback bulk costs 1.1 to 1.7 times as
    much CPU under bbr, which paces, as under reno.
    """

    FIRST_PORT, LAST_PORT = 8000, 9999

    def __init__(self, congestion):
        self.is_own = self._enter()
        self.note = "a network namespace of its own" if self.is_own else "the host's network"
        if self.is_own:
            # 55,000 ports, so that 50,000 connections can be open from one address, and none of them is taken by a
            # connection before a proxy listens on it.
            write(SYSCTL + "ip_local_port_range", f"{self.LAST_PORT + 1} 65535")
            self._next_port = self.FIRST_PORT
        if congestion != "default" and congestion != self.congestion:
            if not self.is_own:
                self.note += f", whose congestion control stays as it is ({congestion} was asked for)"
            else:
                write(SYSCTL + "tcp_congestion_control", congestion)

    @property
    def congestion(self):
        return read(SYSCTL + "tcp_congestion_control")

    @staticmethod
    def _enter():
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNET | CLONE_NEWNS) != 0:
            return False
        libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None)
        if not os.path.isdir(TRACING + "/events"):
            # For perf's count of system calls; without it strace counts.
            libc.mount(b"none", TRACING.encode(), b"tracefs", 0, None)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            request = struct.pack("16sH14x", b"lo", 0)
            flags = struct.unpack("16sH14x", fcntl.ioctl(control, SIOCGIFFLAGS, request))[1]
            fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))
        return True

    def free_port(self):
        if not self.is_own:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                return probe.getsockname()[1]
        while True:
            port = self._next_port
            self._next_port = port + 1 if port < self.LAST_PORT else self.FIRST_PORT
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                    return port
                except OSError:
                    continue


def cpus():
    """The two CPUs that are measured on: the proxy's, and that of load and origin."""
    return sorted(os.sched_getaffinity(0))[:2]


@contextlib.contextmanager
def awake_cpus():
    """Keeps idle CPUs from halting while it lasts; yields why not, if it cannot, or nothing.

    A virtual CPU that halts leaves to the hypervisor, and to wake it takes several times what a proxy does with a
    request: one connection's median is 120 µs with halts and 36 µs without. A proxy that happens to be idle for shorter
    or longer then looks faster, which says nothing about it. (The kernel's interface for it: PM QoS,
    Documentation/power/pm_qos_interface.rst; profiles for low latency use it too.)
    """
    try:
        holder = os.open(CPU_LATENCY, os.O_WRONLY)
    except OSError as error:
        yield f"{CPU_LATENCY}: {error.strerror}"
        return
    try:
        os.write(holder, struct.pack("i", 0))
        yield None
    finally:
        os.close(holder)


def raise_descriptor_limit():
    """Takes all the hard limit allows, and more where we may; returns what there is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in (131_072, hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, max(limit, hard)))
            return limit
        except (ValueError, OSError):
            continue
    return soft


@functools.lru_cache(maxsize=None)
def cpu_clock():
    """What tells how busy the machine is: the accounting of control groups counts nanoseconds, /proc/stat ticks."""
    return "cpuacct" if read(CPU_USAGE) else "/proc/stat"


def busy_seconds():
    """CPU time that anything has used on any CPU since the start."""
    if cpu_clock() == "cpuacct":
        return int(read(CPU_USAGE)) / 1e9
    with open("/proc/stat") as file:
        fields = [int(x) for x in file.readline().split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def stolen_seconds():
    """CPU time that the hypervisor gave to others."""
    with open("/proc/stat") as file:
        return int(file.readline().split()[8]) / os.sysconf("SC_CLK_TCK")


def output(*command):
    """What a program prints, whatever its status (`wrk -v` fails); empty if there is none."""
    if not shutil.which(command[0]):
        return ""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()


def commit():
    """The commit this lies in, and whether what is measured differs from it."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    found = output("git", "-C", root, "rev-parse", "--short=12", "HEAD")
    if not re.fullmatch(r"[0-9a-f]{12,}", found):
        return "unknown", False
    return found, bool(output("git", "-C", root, "status", "--porcelain", "--untracked-files=no"))


VERSIONS = {
    "uproxy": None,
    "nginx": ("nginx", "-v"),
    "haproxy": ("haproxy", "-v"),
    "h2o": ("h2o", "--version"),
    "squid": ("squid", "-v"),
    "envoy": ("envoy", "--version"),
    "openssl": ("openssl", "version"),
    "wrk": ("wrk", "-v"),
    "h2load": ("h2load", "--version"),
    "perf": ("perf", "--version"),
    "strace": ("strace", "--version"),
}


def version(program, binary):
    command = (binary, "--version") if program == "uproxy" else VERSIONS[program]
    found = re.search(r"\d+\.\d+[\w.+~-]*", output(*command))
    return found[0] if found else None


def facts(binary, network, build):
    """What a figure means nothing without."""
    lines = read("/proc/cpuinfo").splitlines()
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    weaknesses = "/sys/devices/system/cpu/vulnerabilities"
    revision, is_modified = commit()
    with open(binary, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    total = re.search(r"MemTotal:\s+(\d+)", read("/proc/meminfo"))
    return {
        "kernel": os.uname().release,
        "cpu": model,
        "cpus": os.cpu_count(),
        "memory_mib": int(total[1]) // 1024,
        "hypervisor": "hypervisor" in read("/proc/cpuinfo"),
        "mitigations": {
            name: read(f"{weaknesses}/{name}") for name in sorted(os.listdir(weaknesses))
            if read(f"{weaknesses}/{name}") != "Not affected"
        } if os.path.isdir(weaknesses) else {},
        "network": network.note,
        "congestion_control": network.congestion,
        "descriptors": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        "cpu_clock": cpu_clock(),
        "versions": {name: found for name in VERSIONS if (found := version(name, binary))},
        "commit": revision,
        "modified": is_modified,
        "build": build,
        "binary_sha256": digest,
        "binary_bytes": os.path.getsize(binary),
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    }
