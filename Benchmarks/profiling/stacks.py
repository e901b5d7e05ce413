"""Call stacks that were counted: frames with a name and where their code is, folded into text and back."""
import collections
import os
import re
import shutil
import subprocess

# Where a frame's code is: the program that is looked at, a library, the kernel, or a thread's name that stands for one.
PROGRAM, LIBRARY, KERNEL, THREAD = "program", "library", "kernel", "thread"

# How a kind shows in folded text, at the end of a frame; as in other tools' texts, which show kernel frames so.
SUFFIXES = {PROGRAM: "", LIBRARY: "_[l]", KERNEL: "_[k]", THREAD: "_[t]"}


class Frame(collections.namedtuple("Frame", "name kind")):
    __slots__ = ()

    @property
    def folded(self):
        return self.name.replace(";", ":").replace("\n", " ") + SUFFIXES[self.kind]

    @classmethod
    def from_folded(cls, text):
        for kind, suffix in SUFFIXES.items():
            if suffix and text.endswith(suffix):
                return cls(text[:-len(suffix)], kind)
        return cls(text, PROGRAM)


def unknown(object_name):
    """The frame of an address without a symbol."""
    return f"[{os.path.basename(object_name) or 'unknown'}]"


def fold(stacks):
    """Text with a line for each stack, outermost frame first, and its count; sorted, so that the same stacks give the same text."""
    return "".join(
        f"{line} {count}\n" for line, count in sorted(
            (";".join(frame.folded for frame in stack), count) for stack, count in stacks.items() if count))


def unfold(text):
    stacks = collections.Counter()
    for line in text.splitlines():
        path, _, count = line.rpartition(" ")
        stacks[tuple(Frame.from_folded(part) for part in path.split(";"))] += int(count)
    return stacks


def demangled(names):
    """What Swift's and C++'s mangled names mean, by name: those that are mangled and can be read."""
    found = {}
    for pattern, tools in (
            (r"_?\$[sS]", [["swift-demangle", "--simplified", "--compact"], ["swift", "demangle", "--simplified", "--compact"]]),
            (r"_Z", [["llvm-cxxfilt"], ["c++filt"]])):
        mangled = sorted(name for name in names if re.match(pattern, name))
        tool = next((tool for tool in tools if shutil.which(tool[0])), None)
        if not mangled or not tool:
            continue
        # A suffix that a compiler pass has added to a copy or a part of a function is not the name's.
        plain = [re.sub(r"(\.(cold|llvm|part|isra|constprop|resume|destroy|cleanup)(\.\d+)*|T[QY]\d+_)+$", "", name) for name in mangled]
        answer = subprocess.run(tool, input="\n".join(plain) + "\n", capture_output=True, text=True).stdout.splitlines()
        if len(answer) != len(mangled):
            continue
        # Which of a generic function's copies it is says nothing that the thread's stack does not.
        found.update((name, text.replace("specialized ", "").replace("<>", ""))
                     for name, before, text in zip(mangled, plain, answer) if text and text != before)
    return found


def demangle(stacks):
    """The same stacks with names that can be read; stacks that become the same are counted together."""
    names = {frame.name for stack in stacks for frame in stack if frame.kind in (PROGRAM, LIBRARY)}
    readable = demangled(names)
    result = collections.Counter()
    for stack, count in stacks.items():
        result[tuple(Frame(readable.get(frame.name, frame.name), frame.kind) for frame in stack)] += count
    return result


def share_named(stacks):
    """Of the program's frames, each counted as often as its stack: the share that has a name a reader knows."""
    all_of, named = 0, 0
    for stack, count in stacks.items():
        for frame in stack:
            if frame.kind == PROGRAM:
                all_of += count
                named += count * has_name(frame.name)
    return named / all_of if all_of else 0


def has_name(name):
    return not re.match(r"_?\$[sS]|_Z|0x|\[|[0-9a-f]+$", name)
