"""A result as Markdown."""

METRICS = {
    "cpu_us": "CPU µs/request",
    "cpu_s_per_gib": "CPU-s/GiB",
    "p50": "p50 µs",
    "p99": "p99 µs",
    "p99.9": "p99.9 µs",
    "bytes_each": "user bytes each",
    "opened": "upstream connections opened",
    "unused": "opened per request",
    "futexes": "futex calls/request",
    "p99_ratio": "p99 beside / alone",
    "entries": "kernel entries/request",
}

COLUMNS = (
    ("bytes_each", "user bytes each", 1),
    ("opened", "upstream connections opened", 1),
    ("p99_ratio", "p99 beside / alone", 1),
    ("p99_alone", "p99 alone µs", 1),
    ("rate", "requests/s", 1),
    ("gib_per_second", "GiB/s", 1),
    ("mean", "mean µs", 1),
    ("p50", "p50", 1),
    ("p90", "p90", 1),
    ("p95", "p95", 1),
    ("p99", "p99", 1),
    ("p99.9", "p99.9", 1),
    ("handshakes_per_cpu_s", "handshakes/CPU-s", 1),
    ("cpu_us", "CPU µs/request", 1),
    ("cpu_user_us", "user", 1),
    ("cpu_system_us", "system", 1),
    ("cpu_s_per_gib", "CPU-s/GiB", 1),
    ("entries", "kernel entries/request", 1),
    ("switches_voluntary", "sleeps/request", 1),
    ("switches_involuntary", "preemptions/request", 1),
    ("peak_bytes", "peak MiB", 1 / 2**20),
    ("error_rate", "errors", 1),
)
SHORT_BODY = 64 << 10


def number(value):
    """Three digits that mean something, and no more."""
    if value is None:
        return "–"
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    if size >= 1:
        return f"{value:.2f}"
    return f"{value:.3f}" if size >= 0.0005 or size == 0 else f"{value:.1g}"


def line(cells):
    return "| " + " | ".join(cells) + " |"


def table(header, rows):
    return [line(header), line(["---"] + ["---:"] * (len(header) - 1)), *map(line, rows)]


def best_peer(result, metric):
    values = [row["median"][metric] for row in result["contenders"]
              if row["is_peer"] and row["median"].get(metric)]
    return min(values, default=None)


def scenario(result):
    """One scenario's table, or why it has none."""
    lines = [f"### {result['scenario']}, {result['layout']}", "", f"{result['title']}. "
             f"{result['rounds']} round{'s' * (result['rounds'] > 1)} of {result['seconds']:g} s, "
             f"{result['congestion_control']}{', CPUs kept from halting' * (result['awake'] and not result['halts'])}"
             f"{'; ' + result['negotiated'] if result.get('negotiated') else ''}.", ""]
    if result["void"]:
        return lines + [f"void: {result['void']}", ""]
    metric = result["metric"]
    reference = best_peer(result, metric)
    medians = [row["median"] for row in result["contenders"]]
    columns = [column for column in COLUMNS if column[0] != metric
               and any(m.get(column[0]) is not None for m in medians)]
    if not any(m.get("gib", 0) for m in medians) or all(
            m["gib"] * 2**30 / m["requests"] < SHORT_BODY for m in medians if m.get("gib")):
        columns = [c for c in columns if c[0] not in ("gib_per_second", "cpu_s_per_gib")]
    header = ["proxy", METRICS[metric] + " (min–max)" * (result["rounds"] > 1), "ratio to best peer", *(text for _, text, _ in columns)]
    rows = []
    for row in result["contenders"]:
        median, (low, high) = row["median"], row["spread"][metric]
        ratio = median[metric] / reference if reference else None
        spread = f" ({number(low)}–{number(high)})" if result["rounds"] > 1 else ""
        rows.append([row["name"], number(median[metric]) + spread, number(ratio),
                     *(number(median[name] * scale if median.get(name) is not None else None)
                       for name, _, scale in columns)])
    lines += table(header, rows)
    notes = [f"{name}: {why}" for name, why in result["absent"].items()]
    if result["disturbed"]:
        notes.append(f"disturbed: other programs used up to {result['foreign']:.2f} CPUs meanwhile; "
                     "compare ratios of CPU, not times")
    if result["halts"]:
        notes.append(f"CPUs could not be kept from halting: {result['halts']}")
    if result["late"]:
        notes.append("the load generator itself was late at times: latencies are upper bounds")
    methods = {m for row in result["contenders"] for s in row["samples"] if (m := s.get("entries_method"))}
    if "strace" in methods:
        notes.append("kernel entries counted by strace, which stops at each and so bends what is done by one")
    return lines + [""] + [f"- {note}" for note in notes] + [""] * bool(notes)


def verdict_rows(results):
    for result in results:
        if result["void"]:
            yield [result["scenario"], result["layout"], "–", "–", "–", "–", "–", f"void: {result['void']}"]
        for verdict in result["verdicts"]:
            against, limit = verdict["against"], verdict["limit"]
            state = {True: "pass", False: "miss", None: f"not measured: {verdict.get('why')}"}[verdict["met"]]
            if result["disturbed"] and verdict["met"] is not None:
                state += " (disturbed)"
            ours = number(verdict["ours"])
            if verdict["contender"] != "uproxy uring":
                ours += f" ({verdict['contender']})"
            yield [
                result["scenario"], result["layout"], METRICS[verdict["metric"]], ours,
                f"{number(verdict['theirs'])} ({verdict['reference']})" if verdict["reference"] else "–",
                number(verdict["ratio"]), f"≤ {limit:g}" + (f" of {against}" if against else ""), state]


def verdicts(results):
    rows = list(verdict_rows(results))
    if not rows:
        return []
    return ["## Targets", "", *table(
        ["scenario", "layout", "figure", "uproxy", "other", "ratio", "target", "result"], rows), ""]


def host(facts):
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    weak = ", ".join(f"{name}: {state}" for name, state in facts["mitigations"].items()) or "none needed"
    return [
        f"{facts['cpus']} CPUs ({facts['cpu']}{', virtual' * facts['hypervisor']}), {facts['memory_mib']} MiB, "
        f"Linux {facts['kernel']}, {facts['date']}. Commit {facts['commit']}{' (modified)' * facts['modified']}, "
        f"{facts['build']}. Traffic in {facts['network']}, congestion control {facts['congestion_control']}. "
        f"Mitigations: {weak}. {versions}.", ""]


def markdown(document):
    lines = ["# Benchmark", "", f"`{document['command']}`", "", *host(document["host"])]
    lines += verdicts(document["results"])
    lines += ["## Scenarios", "",
              "`split`: the proxy on one CPU, load and origin on another; `same`: all on one; `shared`: all on both. "
              "CPU is that of the proxy alone. Times are microseconds, all figures medians.", ""]
    for result in document["results"]:
        lines += scenario(result)
    return "\n".join(lines).rstrip() + "\n"
