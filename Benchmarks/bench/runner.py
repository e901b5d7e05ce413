"""Runs scenarios: proxies take turns, round by round, and medians are compared."""
import contextlib
import statistics
import sys

from . import machine, measure, peers, terms
from .bed import Bed
from .work import check_descriptors


class Bench:
    """One run of the program: what all scenarios share."""

    def __init__(self, binary, load, network, cpus, descriptors, options):
        self.binary, self.load, self.network, self.cpus = binary, load, network, cpus
        self.descriptors, self.options = descriptors, options
        # Requests a second that each proxy does at most, by layout: measured once, for the open loops.
        self.maxima = {}

    def layouts(self, scenario):
        asked = self.options.layout
        if scenario.layouts == ("shared",):
            return scenario.layouts
        if asked:
            return ("split", "same") if asked == "both" else (asked,)
        return (self.options.quick and scenario.quick_layouts) or scenario.layouts

    def contenders(self, scenario):
        """Who takes part, and why others do not."""
        found, absent = [], {}
        for name in scenario.quick if self.options.quick else scenario.contenders:
            contender = peers.CONTENDERS[name]
            if contender.is_peer and self.options.peers and name not in self.options.peers:
                continue
            why = contender.absence(self.binary)
            if why:
                absent[name] = why
            else:
                found.append(contender)
        return found, absent

    def measure(self, scenario, layout):
        """Everything about a scenario in one layout; with `void` instead of figures if terms are not equal."""
        stretch = 1 if self.options.quick else scenario.stretch
        seconds = max(self.options.seconds * stretch, scenario.least_seconds)
        contenders, absent = self.contenders(scenario)
        result = {
            "scenario": scenario.name, "title": scenario.title, "layout": layout, "metric": scenario.metric,
            "seconds": seconds, "rounds": self.options.rounds, "congestion_control": self.network.congestion,
            "absent": absent, "void": None, "disturbed": False, "contenders": [], "verdicts": [],
            "awake": scenario.awake, "halts": None, "negotiated": None,
        }
        try:
            check_descriptors(scenario.work, self.descriptors)
            with machine.awake_cpus() if scenario.awake else contextlib.nullcontext() as result["halts"]:
                rows = self._rounds(scenario, layout, contenders, seconds)
            result["negotiated"] = terms.check_equal(rows)
        except terms.Void as reason:
            result["void"] = str(reason)
            return result
        result["contenders"] = rows
        samples = [sample for row in rows for sample in row["samples"]]
        result["disturbed"] = any(map(terms.is_disturbed, samples))
        result["late"] = any(sample.get("generator_late") for sample in samples)
        result["foreign"] = max(sample["foreign"] for sample in samples)
        result["verdicts"] = [verdict(target, rows) for target in scenario.targets if target.layout in ("", layout)]
        return result

    def _counts_entries(self, scenario):
        """The quick mode counts them where there is a target only."""
        targets = any(target.metric in ("entries", "futexes") for target in scenario.targets)
        return scenario.counts_entries and (targets or not self.options.quick)

    def _rounds(self, scenario, layout, contenders, seconds):
        """A row for each proxy, of one sample a round."""
        rows = {}
        warm = min(1.0, 0.3 * seconds)
        beds = self.options.rounds if scenario.work.is_fresh else 1
        for number in range(beds):
            with Bed(self, contenders, scenario.mode, layout, scenario.workers, scenario.downstream) as bed:
                for proxy in bed.proxies:
                    rows.setdefault(proxy.name, {
                        "name": proxy.name, "contender": proxy.contender.name, "is_peer": proxy.contender.is_peer,
                        "workers": proxy.place.workers, "samples": []})
                    terms.probe(bed, proxy)
                    scenario.work.prepare(bed, proxy, warm)
                for _ in range(self.options.rounds // beds):
                    for proxy in bed.proxies:
                        written = proxy.written_bytes()
                        sample = measure.window(bed, proxy, scenario.work, seconds)
                        terms.check(proxy, scenario.work, sample, written)
                        rows[proxy.name]["samples"].append(sample)
                if self._counts_entries(scenario) and number == beds - 1:
                    for proxy in bed.proxies:
                        found = measure.entries(bed, proxy, scenario.work, max(0.5, warm))
                        for sample in rows[proxy.name]["samples"]:
                            sample.update(found)
        for row in rows.values():
            row["median"], row["spread"] = summary(row["samples"])
        return list(rows.values())


def summary(samples):
    """Medians and extremes of every number that all samples have."""
    names = [name for name, value in samples[0].items() if isinstance(value, (int, float))]
    columns = {name: [sample[name] for sample in samples if sample.get(name) is not None] for name in names}
    return ({name: statistics.median(values) for name, values in columns.items()},
            {name: [min(values), max(values)] for name, values in columns.items()})


def verdict(target, rows):
    """How a target was met: pass, miss, or why that cannot be said."""
    by_name = {row["contender"]: row for row in rows}
    found = {"contender": target.contender, "metric": target.metric, "against": target.against,
             "limit": target.limit, "ours": None, "reference": None, "theirs": None, "ratio": None, "met": None}
    ours = by_name.get(target.contender, {}).get("median", {}).get(target.metric)
    if ours is None:
        return found | {"why": f"no {target.metric} of {target.contender}"}
    found["ours"] = ours
    if not target.against:
        return found | {"met": ours <= target.limit}
    if target.against == "best":
        others = [row for row in rows if row["is_peer"] and row["median"].get(target.metric) is not None]
        reference = min(others, key=lambda row: row["median"][target.metric], default=None)
    else:
        reference = by_name.get(target.against)
    theirs = reference and reference["median"].get(target.metric)
    if not theirs:
        return found | {"why": f"{target.against} was not measured"}
    ratio = ours / theirs
    return found | {"reference": reference["contender"], "theirs": theirs, "ratio": ratio,
                    "met": ratio <= target.limit}


def progress(text):
    print(text, file=sys.stderr, flush=True)
