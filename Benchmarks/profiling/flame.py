"""A flame graph: one SVG file that needs nothing else, in which frames can be pointed at, opened and searched for."""
import zlib
from xml.sax.saxutils import escape

from .stacks import KERNEL, LIBRARY, PROGRAM, THREAD

WIDTH, ROW, MARGIN, TOP, BOTTOM = 1200, 17, 10, 46, 30
CHARACTER = 6.6  # Of the font's 11 pixels, a little more than they are wide.

# Hue and saturation by where the code is; how light it is comes of the name, so that the same name looks the same everywhere.
COLOURS = {PROGRAM: (28, 90), LIBRARY: (150, 45), KERNEL: (215, 55), THREAD: (0, 0)}
LEGEND = ((PROGRAM, "uproxy"), (LIBRARY, "libraries"), (KERNEL, "kernel"))


class Node:
    __slots__ = ("frame", "count", "children")

    def __init__(self, frame):
        self.frame, self.count, self.children = frame, 0, {}


def tree(stacks):
    root = Node(None)
    for stack, count in stacks.items():
        root.count += count
        node = root
        for frame in stack:
            node = node.children.setdefault(frame, Node(frame))
            node.count += count
    return root


def colour(frame):
    if frame is None:
        return "hsl(0,0%,85%)"
    hue, saturation = COLOURS[frame.kind]
    seed = zlib.crc32(frame.name.encode())
    if frame.name.startswith("["):
        saturation = 10
    return f"hsl({hue + seed % 21 - 10},{saturation}%,{62 + (seed >> 8) % 16}%)"


def render(stacks, title, subtitle, unit):
    """The SVG of stacks whose counts are in `unit`, as "samples" or "bytes"."""
    root = tree(stacks)
    rows, depth = [], 0
    scale = (WIDTH - 2 * MARGIN) / max(root.count, 1)
    # Without recursion: stacks may be deeper than Python's.
    waiting = [(root, 0, 0)]
    placed = []
    while waiting:
        node, start, level = waiting.pop()
        placed.append((node, start, level))
        depth = max(depth, level)
        for key in sorted(node.children, key=lambda frame: (frame.name, frame.kind)):
            child = node.children[key]
            waiting.append((child, start, level + 1))
            start += child.count
    height = TOP + (depth + 1) * ROW + BOTTOM
    for node, start, level in placed:
        name = node.frame.name if node.frame else "all"
        kind = node.frame.kind if node.frame else "all"
        x, width, y = MARGIN + start * scale, node.count * scale, TOP + (depth - level) * ROW
        share = 100 * node.count / max(root.count, 1)
        place = "" if kind in ("all", PROGRAM, THREAD) else f" ({kind})"
        rows.append(
            f'<g class="f" data-kind="{kind}" data-start="{start}" data-count="{node.count}" data-level="{level}">'
            f"<title>{escape(name)}{place}: {node.count:,} {unit}, {share:.2f} %</title>"
            f'<rect x="{x:.2f}" y="{y}" width="{max(width - 0.3, 0.1):.2f}" height="{ROW - 1}" rx="1" fill="{colour(node.frame)}"/>'
            f'<text x="{x + 3:.2f}" y="{y + 12}">{escape(shortened(name, width))}</text></g>')
    legend = "".join(
        f'<rect x="{WIDTH - 300 + 95 * at}" y="{height - 20}" width="11" height="11" fill="hsl({COLOURS[kind][0]},{COLOURS[kind][1]}%,68%)"/>'
        f'<text x="{WIDTH - 285 + 95 * at}" y="{height - 10}">{text}</text>' for at, (kind, text) in enumerate(LEGEND))
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" data-total="{root.count}" data-unit="{unit}">
<style>
text {{ font: 11px ui-monospace, Menlo, Consolas, monospace; fill: #111; pointer-events: none; }}
.f {{ cursor: pointer; }} .f:hover rect {{ stroke: #000; stroke-width: 0.7; }}
.found rect {{ fill: #e23bd0; }} .below rect {{ opacity: 0.5; }} .button {{ pointer-events: auto; cursor: pointer; text-decoration: underline; }}
</style>
<rect width="100%" height="100%" fill="#fbfbf8"/>
<text x="{WIDTH / 2}" y="18" text-anchor="middle" style="font-size:14px;font-weight:bold">{escape(title)}</text>
<text x="{WIDTH / 2}" y="34" text-anchor="middle">{escape(subtitle)}</text>
<text id="reset" class="button" x="{MARGIN}" y="18" visibility="hidden">show all</text>
<text id="search" class="button" x="{WIDTH - MARGIN}" y="18" text-anchor="end">search</text>
<text id="told" x="{MARGIN}" y="{height - 10}"> </text>
{legend}
<g id="frames">
{chr(10).join(rows)}
</g>
<script><![CDATA[
{SCRIPT % {"width": WIDTH, "margin": MARGIN, "character": CHARACTER}}
]]></script>
</svg>
"""


def shortened(name, width):
    room = int((width - 6) / CHARACTER)
    if room < 3:
        return ""
    return name if len(name) <= room else name[:room - 2] + ".."


# Click: the frame fills the width, its callers too. Search: a regular expression of names; how much of all lies in frames that
# match is told, each stack counted once.
SCRIPT = r"""
"use strict";
const width = %(width)d, margin = %(margin)d, character = %(character)s;
const frames = Array.from(document.querySelectorAll(".f"), g => ({
    g, rect: g.querySelector("rect"), text: g.querySelector("text"), title: g.querySelector("title").textContent,
    start: +g.dataset.start, count: +g.dataset.count, level: +g.dataset.level }));
for (const f of frames) f.name = f.title.replace(/( \((kernel|library)\))?: [0-9,]+ [a-z]+, [0-9.]+ %%$/, "");
const total = frames[0].count;
const told = document.getElementById("told"), reset = document.getElementById("reset");
function show(from, count, level) {
    const scale = (width - 2 * margin) / Math.max(count, 1);
    for (const f of frames) {
        const isCaller = f.level < level && f.start <= from && f.start + f.count >= from + count;
        const isInside = f.start >= from && f.start + f.count <= from + count && f.level >= level;
        f.g.style.display = isCaller || isInside ? "" : "none";
        if (!isCaller && !isInside) continue;
        f.g.classList.toggle("below", isCaller);
        const x = isCaller ? margin : margin + (f.start - from) * scale;
        const w = isCaller ? width - 2 * margin : f.count * scale;
        f.rect.setAttribute("x", x);
        f.rect.setAttribute("width", Math.max(w - 0.3, 0.1));
        f.text.setAttribute("x", x + 3);
        const room = Math.floor((w - 6) / character);
        f.text.textContent = room < 3 ? "" : f.name.length <= room ? f.name : f.name.slice(0, room - 2) + "..";
    }
    reset.setAttribute("visibility", level === 0 ? "hidden" : "visible");
}
function search(pattern) {
    let expression = null;
    try { expression = pattern ? new RegExp(pattern, "i") : null; }
    catch (error) { told.textContent = String(error.message); return; }
    const found = [];
    for (const f of frames) {
        const is = expression !== null && f.level > 0 && expression.test(f.name);
        f.g.classList.toggle("found", is);
        if (is) found.push(f);
    }
    // Frames lie within each other or apart: outermost first, those inside one that was counted are passed over.
    found.sort((a, b) => a.start - b.start || b.count - a.count);
    let sum = 0, end = -1;
    for (const f of found) if (f.start >= end) { sum += f.count; end = f.start + f.count; }
    told.textContent = expression ? "found: " + (100 * sum / total).toFixed(2) + " %%" : " ";
}
document.getElementById("frames").addEventListener("click", event => {
    const g = event.target.closest(".f");
    const f = frames.find(f => f.g === g);
    if (f) show(f.start, f.count, f.level);
});
document.getElementById("frames").addEventListener("mouseover", event => {
    const g = event.target.closest(".f");
    const f = frames.find(f => f.g === g);
    if (f) told.textContent = f.title;
});
reset.addEventListener("click", () => show(0, total, 0));
function ask() { const pattern = prompt("a regular expression of names", ""); if (pattern !== null) search(pattern); }
document.getElementById("search").addEventListener("click", ask);
window.addEventListener("keydown", event => {
    if ((event.ctrlKey || event.metaKey) && event.key === "f") { event.preventDefault(); ask(); }
    if (event.key === "Escape") { show(0, total, 0); search(""); }
});
"""
