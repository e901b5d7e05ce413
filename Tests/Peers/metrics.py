"""What a running proxy exports: read as strictly as a linter does, in both formats; and that the dashboard and the alerts ask for it."""
import json
import os
import random
import re
import subprocess
import tempfile
import urllib.request

from harness import Origin, Proxy, certificate, check, exchange, need

root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
open_metrics = "application/openmetrics-text; version=1.0.0"
name_pattern = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
label_pattern = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"'
# What Prometheus takes for units, or asks to be a base unit.
wrong_units = ["milliseconds", "microseconds", "nanoseconds", "minutes", "hours", "kilobytes", "megabytes", "kib", "mib", "ms", "ns"]


class Family:
    def __init__(self, name, kind):
        self.name = name
        self.kind = kind
        self.help = None
        # By the name of the sample and its labels.
        self.samples = {}

    @property
    def exported(self):
        """The names that its samples may have."""
        if self.kind == "histogram":
            return [f"{self.name}_{part}" for part in ("bucket", "sum", "count")]
        return [f"{self.name}_total"] if self.kind == "counter" and self.is_open else [self.name]


def read_labels(text):
    """`a="b",c="d"` as a tuple of pairs."""
    labels, place = [], 0
    while place < len(text):
        found = re.compile(label_pattern).match(text, place)
        check(found, f"labels {text}")
        labels.append((found[1], found[2]))
        place = found.end()
        if place < len(text):
            check(text[place] == "," and place + 1 < len(text), f"labels {text}")
            place += 1
    check(len({name for name, _ in labels}) == len(labels), f"a label twice: {text}")
    return tuple(labels)


def parse(text, is_open):
    """The families by name. Anything that the format does not allow, or a linter complains of, fails."""
    families, current = {}, None
    check(text.endswith("\n") and "\n\n" not in text and "\r" not in text, "lines")
    lines = text[:-1].split("\n")
    if is_open:
        check(lines.pop() == "# EOF", "# EOF ends it")
    for line in lines:
        if line.startswith("#"):
            what, name, rest = re.fullmatch(rf"# (HELP|TYPE|UNIT) ({name_pattern}) (.+)", line).groups()
            if what == ("TYPE" if is_open else "HELP"):
                check(name not in families, f"family {name} twice")
                current = families[name] = Family(name, rest if is_open else None)
                current.is_open = is_open
            check(current and current.name == name and not current.samples, f"{line}: not where its family begins")
            if what == "TYPE":
                check(rest in ("counter", "gauge", "histogram"), line)
                current.kind = rest
            elif what == "HELP":
                check(current.help is None, line)
                current.help = rest
            else:
                check(is_open and name.endswith("_" + rest), line)
            continue
        found = re.fullmatch(rf"({name_pattern})(?:\{{(.*)\}})? (\S+)", line)
        check(found, f"neither a comment nor a sample: {line}")
        name, labels, value = found[1], read_labels(found[2] or ""), float(found[3])
        check(current and current.kind and name in current.exported, f"{line}: not of the family {current and current.name}")
        check((name, labels) not in current.samples, f"twice: {line}")
        check(value >= 0 or current.kind == "gauge", line)
        current.samples[name, labels] = value
    for family in families.values():
        lint(family)
    return families


def lint(family):
    name, kind = family.name, family.kind
    check(family.help, f"{name} has no help")
    check(kind, f"{name} has no type")
    check(re.fullmatch(r"[a-z][a-z0-9_]*", name) and "__" not in name, f"{name}: a name is in snake case")
    check(name.startswith(("uproxy_", "process_")), name)
    words = name.split("_")
    check(not set(words) & set(wrong_units), f"{name}: not a base unit")
    check(not name.endswith(("_bucket", "_sum", "_count", "_info") if kind != "gauge" else ("_bucket", "_sum", "_count")), name)
    check(not {"counter", "gauge", "histogram", "summary"} & set(words), f"{name}: a type is no part of a name")
    if not family.is_open:
        check(name.endswith("_total") == (kind == "counter"), f"{name}: counters, and nothing else, end in _total")
    else:
        check(not name.endswith("_total"), f"{name}: the family of a counter ends without _total")
    if kind != "histogram":
        check(all(label not in ("le", "quantile") for _, labels in family.samples for label, _ in labels), name)
        return
    series = {}
    for (sample, labels), value in family.samples.items():
        if sample.endswith("_bucket"):
            check(labels[-1][0] == "le", f"{name}: {labels}")
            bound = float(labels[-1][1].replace("+Inf", "inf"))
            series.setdefault(labels[:-1], []).append((bound, value))
    check(bool(series) == bool(family.samples), f"{name} without buckets")
    for labels, buckets in series.items():
        check(buckets == sorted(buckets) and buckets[-1][0] == float("inf"), f"{name}: bounds of {labels}")
        counts = [count for _, count in buckets]
        check(counts == sorted(counts), f"{name}: counts of {labels} do not grow")
        check(family.samples[f"{name}_count", labels] == counts[-1], f"{name}: count of {labels}")
        check((f"{name}_sum", labels) in family.samples, f"{name}: sum of {labels}")
        if counts[-1] == 0:
            check(family.samples[f"{name}_sum", labels] == 0, f"{name}: sum of {labels}")


def scrape(proxy, accept=None):
    proxy.counter("workers")
    admin = re.search(r"metrics and health on (\S+)", proxy.text)[1]
    request = urllib.request.Request(f"http://{admin}/metrics", headers={"Accept": accept} if accept else {})
    with urllib.request.urlopen(request) as answer:
        kind = answer.headers["Content-Type"]
        check(kind.startswith("application/openmetrics-text; version=1.0.0" if accept == open_metrics
                              else "text/plain; version=0.0.4"), kind)
        return answer.read().decode()


def configuration(directory, origin):
    """With all that has metrics of its own, and takes no other server."""
    with open(f"{directory}/found.txt", "w") as file:
        file.write(f"{origin.address}\n")
    certificate(directory, "a.test", "-addext", "subjectAltName=DNS:a.test")
    path = f"{directory}/uproxy.yaml"
    with open(path, "w") as file:
        file.write(f"""
listeners:
  - {{address: 127.0.0.1:0, routes: site, max_connections: 1000}}
  - {{address: 127.0.0.1:0, routes: site, tls: {{certificates: [{{cert: {directory}/a.test.pem, key: {directory}/a.test.key}}]}}}}
routes:
  site:
    - {{match: {{path: "/found/*"}}, cluster: found}}
    - {{match: {{path: "/none/*"}}, respond: {{status: 404}}}}
    - {{match: {{path: "/*"}}, cluster: app, rate_limit: most}}
rate_limits:
  most: {{rate: 100000/s, key: prefix}}
clusters:
  app:
    endpoints: ["{origin.address}"]
    health: {{path: /health, interval: 1s, timeout: 1s}}
    limits: {{requests: 1000, connections: 1000}}
  found:
    discovery: {{file: {directory}/found.txt}}
""")
    return path


def ask(proxy, count):
    """Requests by each of the routes, on connections enough for each worker."""
    for _ in range(count):
        with proxy.connect() as client:
            for target in ("/a", "/found/a", "/none/a"):
                exchange(client, f"GET {target} HTTP/1.1\r\nHost: a.test\r\n\r\n".encode())


def series(families):
    return {sample for family in families.values() for sample in family.samples}


def named(samples):
    """The values of labels but those that are the same in each proxy."""
    return {label for _, labels in samples for label in labels if label[0] not in ("class", "stage", "cause", "le")}


def names_used():
    """The metrics that the dashboard and the alerts name, each with the place where it does."""
    used = {}
    dashboard = json.load(open(f"{root}/scripts/monitoring/dashboard.json"))
    expressions = []

    def walk(value, place):
        if isinstance(value, dict):
            for key, inner in value.items():
                if key in ("expr", "query", "definition") and isinstance(inner, str):
                    expressions.append((place, inner))
                walk(inner, f"{place}/{value.get('title', key)}")
        elif isinstance(value, list):
            for inner in value:
                walk(inner, place)

    walk(dashboard, "dashboard.json")
    for number, line in enumerate(open(f"{root}/scripts/monitoring/alerts.yaml"), 1):
        if not line.lstrip().startswith("#"):
            expressions.append((f"alerts.yaml:{number}", line))
    for place, text in expressions:
        for name in re.findall(r"\b(?:uproxy|process)_[a-z0-9_]+", text):
            used.setdefault(name, place)
    return used


def metrics(driver):
    """Both formats are right and say the same; what is asked for is there; names that requests bring add nothing."""
    with tempfile.TemporaryDirectory() as directory, Origin() as origin:
        path = configuration(directory, origin)
        with Proxy(driver, "--config", path, "--threads", "2") as proxy:
            ask(proxy, 20)
            plain = parse(scrape(proxy), False)
            opened = parse(scrape(proxy, open_metrics), True)
            check({f"{family.name}_total" if family.kind == "counter" else family.name for family in opened.values()}
                  == set(plain), "the same families")
            check(series(plain) == series(opened), "the same series")

            exported = {name for family in plain.values() for name in [family.name, *family.exported]}
            used = names_used()
            check(len(used) > 40, f"only {len(used)} names are asked for")
            for name, place in used.items():
                check(name in exported, f"{place} asks for {name}, which nothing exports")

            before = series(plain)
            random.seed(6)
            client = proxy.connect()
            for _ in range(300):
                word = "".join(random.choices("abcdefghijklmnopqrstuvwxyz0123456789-", k=12))
                exchange(client, f"GET /{word}/{random.random()}?{word}=1 HTTP/1.1\r\nHost: {word}.test\r\n\r\n".encode())
            after = series(parse(scrape(proxy), False))
            check(named(after) == named(before), f"new names: {sorted(named(after) - named(before))[:5]}")
    return f"{len(before)} series of {len(plain)} families, {len(used)} names used"


def promtool(driver):
    """What Prometheus's own linter says, where it is installed."""
    tool = need("promtool")
    with tempfile.TemporaryDirectory() as directory, Origin() as origin:
        with Proxy(driver, "--config", configuration(directory, origin)) as proxy:
            ask(proxy, 1)
            # It reads the text format alone.
            answer = subprocess.run([tool, "check", "metrics"], input=scrape(proxy), text=True, capture_output=True)
            check(answer.returncode == 0 and not answer.stderr, answer.stderr)
    answer = subprocess.run([tool, "check", "rules", f"{root}/scripts/monitoring/alerts.yaml"], text=True, capture_output=True)
    check(answer.returncode == 0, answer.stdout + answer.stderr)


promtool.drivers = ["epoll"]
