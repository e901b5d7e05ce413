"""Pictures of a result: SVG written by hand, readable on light and on dark pages."""
import math
from xml.sax.saxutils import escape

from .report import METRICS, number

WIDTH, MARGIN = 860, 16

COLOURS = {
    "uproxy uring": "#2f7de1", "uproxy epoll": "#79b8f0", "uproxy busy-poll": "#00a3a3",
    "nginx": "#2e9d4f", "nginx-big": "#85c88a", "haproxy": "#d9772b", "haproxy-big": "#e8b27d",
    "haproxy-splice": "#b8860b", "h2o": "#9a5fd0", "squid": "#a8566e", "byte relay": "#8c959f", "envoy": "#d6478f",
    "openssl s_server": "#8c959f",
}

# Plain rules first, for viewers that know no media queries.
STYLE = """
text { font: 13px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #1f2328; }
.title { font-size: 16px; font-weight: 600; }
.head { font-weight: 600; }
.quiet { fill: #59636e; font-size: 12px; }
.rule { stroke: #d1d9e0; stroke-width: 1; }
.page { fill: #ffffff; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .quiet { fill: #9198a1; }
  .rule { stroke: #3d444d; }
  .page { fill: #0d1117; }
}
"""

PERCENTILES = ("p50", "p75", "p90", "p95", "p99", "p99.9")


def document(height, parts):
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}" '
        f'viewBox="0 0 {WIDTH} {height:.0f}">', f"<style>{STYLE}</style>",
        f'<rect class="page" width="{WIDTH}" height="{height:.0f}"/>', *parts, "</svg>", ""])


def text(x, y, words, style="", anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{style}" text-anchor="{anchor}">{escape(words)}</text>'


def colour(name):
    return COLOURS.get(name, "#808080")


def measured(results, metric):
    """A result's rows that have this metric."""
    return [row for row in results["contenders"] if row["median"].get(metric)]


def bars(title, note, results, metric):
    """A panel for each scenario, two beside each other, each with a scale of its own."""
    gap, name_width, value_width, step = 24, 118, 64, 20
    panel_width = (WIDTH - 2 * MARGIN - gap) / 2
    room = panel_width - name_width - value_width
    parts = [text(MARGIN, 30, title, "title"), text(MARGIN, 50, note, "quiet")]
    top = 66
    for left in range(0, len(results), 2):
        pair = results[left:left + 2]
        for column, result in enumerate(pair):
            x = MARGIN + column * (panel_width + gap)
            parts.append(text(x, top + 16, f"{result['scenario']}, {result['layout']}", "head"))
            rows = sorted(measured(result, metric), key=lambda row: row["median"][metric])
            most = max(row["median"][metric] for row in rows)
            for index, row in enumerate(rows):
                y = top + 28 + index * step
                value = row["median"][metric]
                size = room * value / most
                parts.append(text(x + name_width - 8, y + 11, row["name"], anchor="end"))
                parts.append(f'<rect x="{x + name_width:.1f}" y="{y:.1f}" width="{size:.1f}" height="14" rx="2" '
                             f'fill="{colour(row["contender"])}"/>')
                parts.append(text(x + name_width + size + 6, y + 11, number(value)))
        top += 28 + max(len(measured(result, metric)) for result in pair) * step + 16
    return document(top, parts)


def steps(low, high):
    """Marks of a logarithmic scale: a few of each decade."""
    marks = [m * 10**e for e in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1) for m in (1, 1.5, 2, 3, 5, 7)]
    inside = [mark for mark in marks if low <= mark <= high]
    return inside if len(inside) >= 2 else [low, high]


def spread(places, distance, low, high):
    """Moves labels apart so that none covers another."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    moved = list(places)
    floor = low
    for i in order:
        moved[i] = max(moved[i], floor)
        floor = moved[i] + distance
    ceiling = high
    for i in reversed(order):
        moved[i] = min(moved[i], ceiling)
        ceiling = moved[i] - distance
    return moved


def lines(title, note, marks, series):
    """A line for each contender over named places; the vertical scale is logarithmic."""
    left, right, top, bottom = 74, 200, 70, 300
    height = bottom + 40
    values = [v for _, ys in series for v in ys if v]
    low, high = min(values) * 0.9, max(values) * 1.1
    width = WIDTH - left - right

    def x_of(index):
        return left + width * (index / (len(marks) - 1) if len(marks) > 1 else 0.5)

    def y_of(value):
        return bottom - (bottom - top) * math.log(value / low) / math.log(high / low)

    parts = [text(MARGIN, 30, title, "title"), text(MARGIN, 50, note, "quiet")]
    last = None
    for mark in steps(low, high):
        y = y_of(mark)
        if last is not None and last - y < 16:
            continue
        last = y
        parts.append(f'<line class="rule" x1="{left}" y1="{y:.1f}" x2="{left + width}" y2="{y:.1f}"/>')
        parts.append(text(left - 8, y + 4, number(mark), "quiet", "end"))
    for index, mark in enumerate(marks):
        parts.append(text(x_of(index), bottom + 22, mark, "quiet", "middle"))
    ends = []
    for name, ys in series:
        points = [(x_of(i), y_of(y)) for i, y in enumerate(ys) if y]
        ends.append(points[-1])
        if len(points) > 1:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            parts.append(f'<polyline points="{path}" fill="none" stroke="{colour(name)}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour(name)}"/>' for x, y in points]
    for (name, _), (x, y), place in zip(series, ends, spread([y for _, y in ends], 17, top, bottom)):
        label = left + width + 40
        parts.append(f'<line x1="{x + 5:.1f}" y1="{y:.1f}" x2="{label - 6}" y2="{place:.1f}" '
                     f'stroke="{colour(name)}" stroke-width="1" stroke-opacity="0.6"/>')
        parts.append(text(label, place + 4, name))
    return document(height, parts)


def percentiles(result):
    rows = [row for row in result["contenders"] if all(row["median"].get(p) for p in PERCENTILES)]
    return lines(f"Latency, µs: {result['scenario']}", result["title"] + "; logarithmic scale", PERCENTILES,
                 [(row["name"], [row["median"][p] for p in PERCENTILES]) for row in rows]) if rows else None


def over_connections(results, layout):
    """CPU per request at each number of connections, of those who were measured at all of them."""
    found = sorted((int(r["scenario"].split("-")[1]), r) for r in results
                   if r["scenario"].startswith("small-") and r["layout"] == layout)
    if len(found) < 2:
        return None
    names = list(dict.fromkeys(row["name"] for _, r in found for row in r["contenders"]))
    series = []
    for name in names:
        by_count = [next((row["median"]["cpu_us"] for row in r["contenders"] if row["name"] == name), None)
                    for _, r in found]
        if all(by_count):
            series.append((name, by_count))
    return lines(f"{METRICS['cpu_us']} over connections, {layout}", "128-byte answers; logarithmic scale",
                 [str(count) for count, _ in found], series) if series else None


def all_of(document_):
    """File names and contents: those that the result has figures for."""
    good = [r for r in document_["results"] if not r["void"]]
    for name, metric, title in (
            ("cpu-per-request.svg", "cpu_us", "CPU time of the proxy per request, µs"),
            ("bulk.svg", "cpu_s_per_gib", "CPU seconds of the proxy per GiB"),
            ("idle.svg", "bytes_each", "User memory of an idle connection, bytes")):
        chosen = [r for r in good if r["metric"] == metric and measured(r, metric)]
        if chosen:
            yield name, bars(title, "less is better; each panel has its own scale", chosen, metric)
    for name in ("latency", "open-50", "open-rate"):
        for result in good:
            if result["scenario"] == name and (picture := percentiles(result)):
                yield f"percentiles-{name}.svg", picture
    for layout in ("split", "same"):
        if picture := over_connections(good, layout):
            yield f"connections-{layout}.svg", picture
