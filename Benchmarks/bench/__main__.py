"""Measures uproxy and other proxies side by side: each scenario starts them all, lets them take turns under the same
load, and compares medians. Without SCENARIO all of them run.

Exit status: 0; 1 if a target is missed; 2 if a scenario is void, for terms were not equal; 64 for wrong usage.
"""
import argparse
import json
import os
import shlex
import signal
import sys
import time

from . import machine, peers, plot, report, scenarios
from .runner import Bench, progress


def arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="scripts/bench micro measures parsers, queues and pools alone; scripts/bench report FILE renders a result again.")
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="see --list")
    parser.add_argument("--list", action="store_true", help="name the scenarios and their targets")
    parser.add_argument("--quick", action="store_true",
                        help="one short round and fewer peers: in about five minutes, with one scenario of TLS and HTTP/2")
    parser.add_argument("--rounds", type=int, help="turns of each proxy (3; quick: 1)")
    parser.add_argument("--seconds", type=float, help="of each turn (3; quick: 1)")
    parser.add_argument("--layout", choices=["split", "same", "both"],
                        help="proxy on a CPU of its own, or all on one; default: as the scenario's targets need")
    parser.add_argument("--peers", type=lambda text: text.split(","), metavar="NAME,…",
                        help="these peers only, of " + ", ".join(c.name for c in peers.CONTENDERS.values() if c.is_peer))
    parser.add_argument("--congestion", choices=["reno", "cubic", "bbr", "default"], default="reno",
                        help="congestion control of all traffic (reno); default: the host's")
    parser.add_argument("--json", metavar="FILE", help="write everything that was measured")
    parser.add_argument("--markdown", metavar="FILE", help="write the report; it is printed too")
    parser.add_argument("--plots", metavar="DIR", help="write plots as SVG")
    parser.add_argument("--binary", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--load", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--build", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    unknown = [name for name in options.scenarios if name not in scenarios.BY_NAME]
    unknown += [name for name in options.peers or [] if not getattr(peers.CONTENDERS.get(name), "is_peer", False)]
    if unknown:
        parser.exit(64, f"scripts/bench: there is no {', '.join(unknown)}; see --list and --help\n")
    options.rounds = options.rounds or (1 if options.quick else 3)
    options.seconds = options.seconds or (1 if options.quick else 3)
    return options


def describe(scenario):
    lines = [f"{scenario.name:22} {scenario.title} ({', '.join(scenario.layouts)})"]
    for target in scenario.targets:
        of = f" of {target.against}" if target.against else ""
        where = f", {target.layout}" if target.layout else ""
        lines.append(f"{'':22}   {target.contender}: {report.METRICS[target.metric]} ≤ {target.limit:g}{of}{where}")
    return "\n".join(lines)


def save(path, text):
    with open(path, "w") as file:
        file.write(text)


def render(document, markdown, plots):
    text = report.markdown(document)
    if markdown:
        save(markdown, text)
    if plots:
        os.makedirs(plots, exist_ok=True)
        for name, picture in plot.all_of(document):
            save(os.path.join(plots, name), picture)
    return text


def status(results):
    if any(result["void"] for result in results):
        return 2
    return 1 if any(verdict["met"] is False for result in results for verdict in result["verdicts"]) else 0


def again(words):
    """`report FILE`: what a run has written, rendered anew."""
    parser = argparse.ArgumentParser(prog="scripts/bench report")
    parser.add_argument("file", help="what --json has written")
    parser.add_argument("--markdown", metavar="FILE")
    parser.add_argument("--plots", metavar="DIR")
    options = parser.parse_args(words)
    with open(options.file) as file:
        document = json.load(file)
    print(render(document, options.markdown, options.plots), end="")
    return 0


def main():
    if sys.argv[1:2] == ["report"]:
        return again(sys.argv[2:])
    options = arguments()
    if options.list:
        print("\n".join(map(describe, scenarios.SCENARIOS)))
        return 0
    # So that proxies are ended too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    descriptors = machine.raise_descriptor_limit()
    cpus = machine.cpus()
    if len(cpus) < 2:
        progress("scripts/bench: two CPUs are needed")
        return 2
    network = machine.Network(options.congestion)
    bench = Bench(options.binary, options.load, network, cpus, descriptors, options)
    shown = [word for word in sys.argv[1:] if not word.startswith(("--binary=", "--load=", "--build="))]
    document = {
        "format": 1, "command": shlex.join(["scripts/bench", *shown]),
        "host": machine.facts(options.binary, network, options.build), "results": []}
    began = time.monotonic()
    everything = [s.name for s in scenarios.SCENARIOS if s.in_quick or not options.quick]
    for name in options.scenarios or everything:
        scenario = scenarios.BY_NAME[name]
        for layout in bench.layouts(scenario):
            started = time.monotonic()
            result = bench.measure(scenario, layout)
            document["results"].append(result)
            progress(f"{started - began:6.0f} s  {name}, {layout}: "
                     + (f"void: {result['void']}" if result["void"] else f"{time.monotonic() - started:.0f} s"))
            # After each scenario, so that a run that is interrupted leaves what it has.
            if options.json:
                save(options.json, json.dumps(document, indent=1))
    print(render(document, options.markdown, options.plots), end="")
    return status(document["results"])


try:
    sys.exit(main())
except KeyboardInterrupt:
    sys.exit(130)
