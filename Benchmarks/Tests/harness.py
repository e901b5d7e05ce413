#!/usr/bin/env python3
"""scripts/bench measures, reports and refuses: the harness is tested here, not the proxy, so no figure is looked at.

    UPROXY=path/to/uproxy LOAD=path/to/load Benchmarks/Tests/harness.py
"""
import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, PACKAGE)
os.environ["PATH"] += ":/usr/sbin"

from bench import machine, peers, runner, scenarios, terms, work  # noqa: E402

FIGURES = ("cpu_us", "cpu_user_us", "cpu_system_us", "rate", "mean", "p50", "p90", "p95", "p99", "p99.9", "error_rate",
           "peak_bytes", "switches_voluntary", "switches_involuntary", "accepted", "foreign")


def check(condition, what):
    if not condition:
        print(f"FAIL: {what}")
        sys.exit(1)


def bench(uproxy, load, *words):
    return subprocess.run(
        [sys.executable, "-m", "bench", f"--binary={uproxy}", f"--load={load}", *words], capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": PACKAGE}, check=False)


def measures(uproxy, load):
    """One scenario, from the command line to the pictures."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "result.json")
        plots = os.path.join(directory, "plots")
        done = bench(uproxy, load, "small-256", "idle-50k", "--quick", "--layout", "same", "--peers", "nginx",
                     "--json", path, "--plots", plots)
        with open(path) as file:
            document = json.load(file)
        small, idle = document["results"]
        check(small["void"] is None, f"small-256 is void: {small['void']}")
        check([row["name"] for row in small["contenders"]] == ["uproxy uring", "nginx"], "who was measured")
        for row in small["contenders"]:
            missing = [name for name in FIGURES if row["median"].get(name) is None]
            check(not missing, f"{row['name']} has no {missing}")
            check(row["median"]["cpu_us"] > 0 and row["median"]["requests"] > 0, f"{row['name']} did nothing")
            check(row["median"].get("entries", 0) > 0, f"kernel entries of {row['name']} were not counted")
        for fact in ("kernel", "cpu", "cpus", "congestion_control", "commit", "versions"):
            check(document["host"].get(fact), f"the host's {fact}")
        if document["host"]["descriptors"] < 50_000:
            check("descriptors" in (idle["void"] or "") and done.returncode == 2, "too few descriptors make it void")
            check("void: " in done.stdout, "the report says so")
        check("| uproxy uring |" in done.stdout and "| nginx |" in done.stdout, "the report has both")
        pictures = os.listdir(plots)
        check("cpu-per-request.svg" in pictures, f"pictures: {pictures}")
        for name in pictures:
            xml.etree.ElementTree.parse(os.path.join(plots, name))
        again = subprocess.run(
            [sys.executable, "-m", "bench", "report", path], capture_output=True, text=True,
            env=os.environ | {"PYTHONPATH": PACKAGE}, check=False)
        check(again.stdout == done.stdout, "a result renders again as it did")


def measures_tls(uproxy, load):
    """TLS and HTTP/2, whose terms are checked by what both ends say."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "result.json")
        done = bench(uproxy, load, "h2-tls", "tls-handshakes", "--quick", "--layout", "same", "--peers", "nginx", "--json", path)
        with open(path) as file:
            document = json.load(file)
        http2, full = document["results"]
        for result in (http2, full):
            check(result["void"] is None, f"{result['scenario']} is void: {result['void']}")
            for row in result["contenders"]:
                check(row["median"]["cpu_us"] > 0 and row["median"]["requests"] > 0, f"{row['name']} did nothing")
            check(result["negotiated"] in done.stdout, "the report says what was agreed on")
        check("TLSv1.3" in http2["negotiated"] and http2["negotiated"].endswith("h2"), http2["negotiated"])
        check(full["negotiated"].endswith("EC 256 bits, 2 tickets each"), full["negotiated"])
        check([row["name"] for row in full["contenders"]] == ["uproxy uring", "nginx", "openssl s_server"], "who was measured")
        for row in full["contenders"]:
            check(row["median"]["full"] == row["median"]["requests"], f"{row['name']}: {row['median']}")
            check(row["median"]["handshakes_per_cpu_s"] > 0, f"{row['name']} has no handshakes per CPU second")
        check("counted_handshakes" in full["contenders"][0]["samples"][0], "uproxy was not asked what it counted")


def refuses(uproxy, load):
    """A peer that opens an upstream connection for each request, beside one that reuses them."""
    network = machine.Network("reno")
    options = argparse.Namespace(quick=True, layout="same", peers=["nginx"], rounds=1, seconds=1)
    bench_ = runner.Bench(uproxy, load, network, machine.cpus(), machine.raise_descriptor_limit(), options)

    nginx = peers.CONTENDERS["nginx"]

    def without_keepalive(place):
        command = nginx.command(place)
        with open(command[-1]) as file:
            text = file.read()
        place.write("nginx.conf", text.replace('proxy_set_header Connection "";', ""))
        return command

    peers.CONTENDERS["nginx"] = dataclasses.replace(nginx, command=without_keepalive)
    result = bench_.measure(scenarios.BY_NAME["small-16"], "same")
    check("keep them alive" in (result["void"] or ""), f"no upstream keep-alive: {result['void']}")
    check(not result["contenders"], "a void scenario has no figures")


def checks_terms():
    """Each of the other terms, one broken at a time."""

    class Proxy:
        name = "p"
        contender = peers.CONTENDERS["nginx"]
        place = argparse.Namespace(workers=1)
        written_bytes = staticmethod(lambda: 10)
        last_words = staticmethod(lambda: "a line")

    load = work.Closed()
    good = {"requests": 1000, "errors": 0, "error_detail": "", "bytes_in": 300_000, "cpu": 1.0, "busy_threads": 1,
            "origin_requests": 1000, "accepted": 64}
    terms.check(Proxy, load, good, 10)
    for change, word in (({"errors": 1}, "failed"), ({"bytes_in": 100_000}, "bytes"), ({"bytes_in": 10**8}, "bytes"),
                         ({"busy_threads": 2}, "threads"), ({"requests": 0}, "nothing"),
                         ({"origin_requests": 900}, "origin"), ({"accepted": 1000}, "keep them alive")):
        try:
            terms.check(Proxy, load, good | change, 10)
            check(False, f"{change} is accepted")
        except terms.Void as reason:
            check(word in str(reason), f"{change}: {reason}")
    full = {"full": 1000, "resumed": 0, "counted_handshakes": [1000, 0]}
    resumed = {"full": 1, "resumed": 999, "counted_handshakes": [1000, 999]}
    terms.check(Proxy, work.Handshakes(), good | full, 10)
    terms.check(Proxy, work.Handshakes(resumes=True), good | resumed, 10)
    for resumes, change, word in ((False, resumed, "resumed"), (True, full, "in full"),
                                  (False, full | {"counted_handshakes": [999, 0]}, "counted")):
        try:
            terms.check(Proxy, work.Handshakes(resumes=resumes), good | change, 10)
            check(False, f"{change} is accepted")
        except terms.Void as reason:
            check(word in str(reason), f"{change}: {reason}")
    rows = [{"name": name, "samples": [{"negotiated": what}]} for name, what in (("a", "TLSv1.3"), ("b", "TLSv1.3"))]
    check(terms.check_equal(rows) == "TLSv1.3", "all agree on the same")
    rows[1]["samples"].append({"negotiated": "TLSv1.2"})
    try:
        terms.check_equal(rows)
        check(False, "TLS 1.2 beside 1.3 is accepted")
    except terms.Void as reason:
        check("differs" in str(reason), f"TLS 1.2 beside 1.3: {reason}")
    try:
        terms.check(Proxy, load, good, 9)
        check(False, "a log is accepted")
    except terms.Void as reason:
        check("log" in str(reason), f"a log: {reason}")


def main():
    uproxy, load = (os.path.abspath(os.environ[name]) for name in ("UPROXY", "LOAD"))
    checks_terms()
    measures(uproxy, load)
    measures_tls(uproxy, load)
    refuses(uproxy, load)
    print("scripts/bench measures, reports and refuses")


main()
