#!/usr/bin/env python3
"""The regression guard that no noise of the machine reaches: instructions and allocations, counted under callgrind, of one
request through the whole proxy and of each micro-benchmark, against the thresholds stored beside this file.

Exit status: 0; 1 if something needs more than its threshold by more than the margin; 2 if nothing could be compared.
"""
import argparse
import concurrent.futures
import json
import os
import platform
import re
import subprocess
import sys
import tempfile

import proxy_instructions

HERE = os.path.dirname(os.path.abspath(__file__))
THRESHOLDS = os.path.join(HERE, "thresholds.json")
MARGIN = 0.03
# Of allocations in each request: those of the main thread's start, should it still be at it, among all that were counted.
ALLOCATION_SLACK = 0.05
# Another compiler, C library or valgrind gives other code for the same source: only a change for the worse that is larger
# than these make is worth a failure there.
FOREIGN_MARGIN = 0.25


def toolchain():
    def first(pattern, *command):
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return re.search(pattern, output)[1]

    return {"swift": first(r"Swift version (\S+)", "swift", "--version"),
            "glibc": platform.libc_ver()[1],
            "valgrind": first(r"valgrind-(\S+)", "valgrind", "--version")}


def without_debug_information(binary, directory):
    """valgrind 3.19 gives up on the DWARF 5 that swiftc writes."""
    copy = os.path.join(directory, os.path.basename(binary))
    subprocess.run(["strip", "--strip-debug", "-o", copy, binary], check=True)
    return copy


def count_proxy(binary, counter, keep):
    """Two at a time, each on a CPU of its own if there are two."""
    cpus = sorted(os.sched_getaffinity(0))[:2]

    def count(cpu, jobs):
        results = {}
        for driver, scenario in jobs:
            with tempfile.TemporaryDirectory() as directory:
                name = f"proxy, {driver}: {scenario.name}"
                results[name] = proxy_instructions.count(binary, counter, driver, scenario, directory, cpu)
                if keep:
                    os.makedirs(keep, exist_ok=True)
                    os.replace(f"{directory}/callgrind.2", os.path.join(keep, re.sub(r"\W+", "-", name)))
        return results

    jobs = [(driver, scenario) for driver in proxy_instructions.DRIVERS for scenario in proxy_instructions.SCENARIOS]
    with concurrent.futures.ThreadPoolExecutor(len(cpus)) as pool:
        parts = pool.map(count, cpus, [jobs[index::len(cpus)] for index in range(len(cpus))])
        found = {name: counts for part in parts for name, counts in part.items()}
    names = [f"proxy, {driver}: {scenario.name}" for driver, scenario in jobs]
    return {name: found[name] for name in names}


def count_micro(binary, counter):
    with tempfile.TemporaryDirectory() as directory:
        profile = os.path.join(directory, "callgrind")
        output = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}", "--dump-before=$s5Micro8boundaryyyF",
             f"--log-file={directory}/log", binary, "--count"],
            env={**proxy_instructions.pinned_environment(), "LD_PRELOAD": counter}, capture_output=True, text=True)
        if output.returncode != 0:
            raise RuntimeError(f"{binary} --count ended with {output.returncode}: {output.stderr[-2000:]}")
        results = {}
        for index, line in enumerate(output.stdout.splitlines()):
            name, count, allocations = line.split("\t")
            once, twice = (
                proxy_instructions.instructions_in(f"{profile}.{index * 3 + part}") for part in (2, 3))
            results[f"micro, {name}"] = ((twice - once) / int(count), int(allocations) / int(count))
        return results


def compare(measured, stored, margin):
    """Prints all, returns how many are above their threshold."""
    worse = better = 0
    print(f"{'instructions':>12} {'threshold':>9} {'':>8}  {'allocations':>11}")
    for name, (instructions, allocations) in measured.items():
        limit = stored["counts"].get(name)
        verdict = ""
        if limit is None:
            verdict = "  NEW: no threshold is stored (--update stores it)"
            worse += 1
            limit = {"instructions": instructions, "allocations": allocations}
        # A count of a few instructions may move by less than one.
        slack = max(margin * limit["instructions"], 0.5)
        if instructions > limit["instructions"] + slack or allocations > limit["allocations"] + ALLOCATION_SLACK:
            verdict = "  ABOVE"
            worse += 1
        elif instructions < limit["instructions"] - slack or allocations < limit["allocations"] - ALLOCATION_SLACK:
            verdict = "  below: lower the threshold (--update)"
            better += 1
        change = instructions / limit["instructions"] - 1 if limit["instructions"] else 0
        print(f"{instructions:12.1f} {limit['instructions']:9} {change:+8.1%}  {allocations:11.2f}  {name}{verdict}")
    for name in stored["counts"].keys() - measured.keys():
        print(f"{name}: has a threshold and is not measured any more (--update drops it)")
        worse += 1
    if better:
        print(f"{better} figures are below their threshold by more than {margin:.0%}: lower them with "
              "`scripts/bench instructions --update`")
    return worse


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proxy", required=True, help="the uproxy binary (release)")
    parser.add_argument("--micro", required=True, help="the micro-benchmarks (release)")
    parser.add_argument("--update", action="store_true", help="store what was counted as the new thresholds")
    parser.add_argument("--keep", metavar="DIRECTORY", help="keep the proxy's callgrind profiles, for callgrind_annotate")
    arguments = parser.parse_args()
    if platform.machine() != "x86_64":
        print(f"skipped: the thresholds are for x86_64, this is {platform.machine()}")
        sys.exit(0)

    here = toolchain()
    with tempfile.TemporaryDirectory() as directory:
        counter = os.path.join(directory, "count.so")
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", counter, f"{HERE}/../Tests/Allocations/count.c"], check=True)
        measured = count_proxy(without_debug_information(arguments.proxy, directory), counter, arguments.keep)
        measured.update(count_micro(without_debug_information(arguments.micro, directory), counter))

    if arguments.update:
        with open(THRESHOLDS, "w") as f:
            json.dump({"toolchain": here, "counts": {
                name: {"instructions": round(instructions) if instructions >= 100 else round(instructions, 1),
                       "allocations": round(allocations, 1)}
                for name, (instructions, allocations) in measured.items()}}, f, indent=1)
            f.write("\n")
    with open(THRESHOLDS) as f:
        stored = json.load(f)
    margin = MARGIN
    if here != stored["toolchain"]:
        margin = FOREIGN_MARGIN
        print(f"the thresholds were counted with {stored['toolchain']}, this is {here}: compared with a margin of "
              f"{margin:.0%} instead of {MARGIN:.0%}")
    worse = compare(measured, stored, margin)
    if worse:
        print(f"FAIL: {worse} figures are above their threshold by more than {margin:.0%}, or have none")
    sys.exit(1 if worse else 0)


main()
