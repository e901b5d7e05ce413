"use strict";
// The status page: asks the admin API once a second how things stand, and shows what a second brought. Counts are since the process
// began, histograms are cumulative: rates and quantiles are differences of two answers.
//
// What peers sent (paths, hosts, methods) becomes text by `textContent` and by nothing else.

const PERIOD = 1000;            // Milliseconds from one question to the next.
const SHORTEST = 400;           // However often a person asks for more: rates of less are noise.
const PATIENCE = 3000;          // For an answer.
const LONGEST_STEP = 5;         // Seconds: two answers further apart tell nothing of the moment.
const SPAN = 300;               // Seconds that are plotted.
const MOST_ROWS = 200;          // Of a table; the filter finds the others.

// MARK: - Text

const find = id => document.getElementById(id);

/** An element with text in it, or with children. */
function make(tag, name, content = []) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (typeof content === "string") element.textContent = content;
  else element.append(...content);
  return element;
}

/** Changes what has changed alone: a selection, and what reads the page aloud, are left in peace. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function setClass(element, name) {
  if (element.className !== name) element.className = name;
}

/** A peer's text: controls, and characters that turn or hide others, are written as their numbers. */
function plain(text) {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g,
    unit => "\\u{" + unit.charCodeAt(0).toString(16) + "}");
}

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat("en", { maximumFractionDigits: 1, minimumFractionDigits: 1 });

const count = value => value === null || value === undefined ? "–" : whole.format(value);
const several = (number, noun) => `${number === 0 ? "no" : count(number)} ${noun}${number === 1 ? "" : "s"}`;
const rate = value => value === null || value === undefined ? "–"
  : value === 0 ? "0" : value < 9.95 ? tenths.format(value) : whole.format(value);
const percent = value => value === null ? "–" : (value * 100).toFixed(value > 0 && value < 0.0995 ? 1 : 0) + " %";

function scaled(value, step, units) {
  if (value === null || value === undefined) return "–";
  let unit = 0;
  while (value >= step && unit < units.length - 1) {
    value /= step;
    unit += 1;
  }
  return (unit === 0 || value >= 99.95 ? whole : tenths).format(value) + " " + units[unit];
}

const size = value => scaled(value, 1024, ["B", "KiB", "MiB", "GiB", "TiB"]);
const byteRate = value => scaled(value, 1000, ["B/s", "kB/s", "MB/s", "GB/s"]);

/** Seconds, with three digits that count. */
function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 0.001) return (seconds * 1e6).toFixed(0) + " µs";
  if (seconds < 0.9995) return (seconds * 1e3).toPrecision(3).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "") + " ms";
  if (seconds < 60) return seconds.toFixed(seconds < 10 ? 2 : 1) + " s";
  return longDuration(seconds);
}

function longDuration(seconds) {
  const parts = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const first = parts.findIndex(([, length]) => seconds >= length);
  if (first < 0) return "0 s";
  return parts.slice(first, first + 2).map(([name, length], place) =>
    Math.floor((place === 0 ? seconds : seconds % parts[first][1]) / length) + " " + name).join(" ");
}

const words = label => label.replaceAll("_", " ");

// MARK: - Differences

const sum = numbers => numbers.reduce((total, number) => total + number, 0);
const total = responses => sum(Object.values(responses ?? {}));
const byName = (items, name) => new Map((items ?? []).map(item => [item[name], item]));

/** What a histogram counted in between; null: nothing, or it is not the same one. */
function added(before, now) {
  if (!now) return null;
  const old = before?.cumulative ?? now.cumulative.map(() => 0);
  const counts = now.cumulative.map((value, place) => value - old[place]);
  if (counts.some(value => value < 0) || counts.at(-1) === 0) return null;
  return { counts, seconds: now.sum - (before?.sum ?? 0) };
}

function merged(histograms) {
  const all = histograms.filter(histogram => histogram);
  if (all.length === 0) return null;
  return {
    counts: all[0].counts.map((_, place) => sum(all.map(histogram => histogram.counts[place]))),
    seconds: sum(all.map(histogram => histogram.seconds)),
  };
}

/** Seconds that so large a part of the durations do not exceed: within two bounds, as if they were spread evenly. */
function quantile(histogram, part, bounds) {
  if (!histogram) return null;
  const { counts } = histogram;
  const rank = part * counts.at(-1);
  const place = counts.findIndex(value => value >= rank);
  if (place >= bounds.length) return bounds.at(-1);
  const [low, below] = place === 0 ? [0, 0] : [bounds[place - 1], counts[place - 1]];
  return low + (bounds[place] - low) * (rank - below) / Math.max(1, counts[place] - below);
}

const mean = histogram => histogram ? histogram.seconds / histogram.counts.at(-1) : null;

/** Whether an answer is of another process, or of one whose counters are not those of before. */
function isAnother(before, now) {
  return before.process.pid !== now.process.pid
    || Object.entries(before.counters).some(([name, value]) => (now.counters[name] ?? 0) < value);
}

/** What came to a name in between: responses and errors a second, and how long they took. */
function traffic(before, now, seconds, bounds) {
  const gained = Math.max(0, total(now.responses) - total(before?.responses));
  const wrong = item => (item?.responses?.["5xx"] ?? 0) + (item?.responses?.none ?? 0);
  const times = added(before?.duration, now.duration);
  const own = added(before?.added, now.added);
  return {
    rate: gained / seconds,
    errors: Math.max(0, wrong(now) - wrong(before)) / seconds,
    times, own,
    p50: quantile(times, 0.5, bounds), p99: quantile(times, 0.99, bounds),
    added50: quantile(own, 0.5, bounds), added99: quantile(own, 0.99, bounds),
    wait: mean(added(before?.upstream_wait, now.upstream_wait)),
  };
}

const nothing = {
  rate: null, errors: null, times: null, own: null, p50: null, p99: null, added50: null, added99: null, wait: null,
};

/** All that is shown of two answers, `seconds` apart; of the first one alone there are no rates. */
function interval(before, now, seconds) {
  const bounds = now.bounds;
  const difference = (from, to) => before === null ? null : Math.max(0, (to ?? 0) - (from ?? 0));
  const perSecond = (from, to) => before === null ? null : difference(from, to) / seconds;
  const counter = name => perSecond(before?.counters[name], now.counters[name]);
  const compared = (from, to) => before === null ? { ...nothing } : traffic(from, to, seconds, bounds);

  const old = byName(before?.listeners, "address");
  const listeners = now.listeners.map(listener => ({ ...listener, ...compared(old.get(listener.address), listener) }));
  const [times, own] = [merged(listeners.map(l => l.times)), merged(listeners.map(l => l.own))];
  const unanswered = sum(now.listeners.map(listener =>
    Math.max(0, (listener.responses?.none ?? 0) - (old.get(listener.address)?.responses?.none ?? 0))));

  const oldClusters = byName(before?.clusters, "name");
  const clusters = now.clusters.map(cluster => {
    const past = oldClusters.get(cluster.name);
    const pastEndpoints = byName(past?.endpoints, "endpoint");
    return {
      ...cluster, ...compared(past, cluster),
      endpoints: cluster.endpoints.map(endpoint =>
        ({ ...endpoint, ...compared(pastEndpoints.get(endpoint.endpoint), endpoint) })),
    };
  });

  const oldWorkers = byName(before?.workers, "worker");
  const workers = now.workers.map(worker => {
    const past = oldWorkers.get(worker.worker);
    const turns = difference(past?.turns, worker.turns);
    return {
      ...worker,
      rate: perSecond(past?.requests, worker.requests),
      turnRate: perSecond(past?.turns, worker.turns),
      perTurn: turns ? difference(past?.completions, worker.completions) / turns : null,
    };
  });

  const [opened, reused] = ["opened", "reused"].map(name => counter(`upstream_connections_${name}_total`));
  return {
    listeners, clusters, workers,
    requests: counter("requests_total"),
    classes: {
      "2xx": counter("responses_2xx_total"), "3xx": counter("responses_3xx_total"),
      "4xx": counter("responses_4xx_total"), "5xx": counter("responses_5xx_total"),
      none: before === null ? null : unanswered / seconds,
    },
    latency: {
      p50: quantile(times, 0.5, bounds), p99: quantile(times, 0.99, bounds),
      added50: quantile(own, 0.5, bounds), added99: quantile(own, 0.99, bounds),
    },
    bytes: {
      received: counter("downstream_received_bytes_total"), sent: counter("downstream_sent_bytes_total"),
      upReceived: counter("upstream_received_bytes_total"), upSent: counter("upstream_sent_bytes_total"),
    },
    cpu: perSecond(before?.process.cpu_seconds, now.process.cpu_seconds),
    reuse: opened + reused > 0 ? reused / (opened + reused) : null,
    failures: name => perSecond(before?.failures[name], now.failures[name]),
    counter,
  };
}

// MARK: - Plots

const SVG = "http://www.w3.org/2000/svg";

function draw(tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

/** The next of 1, 2, 5, 10, 20… that is no smaller. */
function roundedUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map(step => step * power).find(step => step >= value * 0.999999);
}

/** Lines, or areas on top of one another, over the last minutes. */
class Plot {
  /**
   * @param series names, colours and values of each; a value of null is a gap.
   * @param options `text` writes a value, `stacked` puts areas on one another, `logarithmic` gives each decade its part, `least` is
   *   the smallest upper end of the axis.
   */
  constructor(title, series, options) {
    Object.assign(this, { title, series, ...options });
    this.svg = draw("svg", { role: "img", tabindex: "0" });
    this.values = series.map(({ name, colour }) => {
      const value = make("span");
      return { value, item: make("li", colour, [make("span", "", name + " "), value]) };
    });
    this.figure = make("figure", "", [
      make("h3", "", title), this.svg, make("ul", "legend", this.values.map(value => value.item)),
    ]);
    this.svg.addEventListener("pointermove", event => {
      const box = this.svg.getBoundingClientRect();
      pointAt(SPAN * (1 - (event.clientX - box.left - this.left) / (box.width - this.left)));
    });
    this.svg.addEventListener("pointerleave", () => pointAt(null));
    this.svg.addEventListener("blur", () => pointAt(null));
    this.svg.addEventListener("keydown", event => {
      const step = { ArrowLeft: 1, ArrowRight: -1, PageUp: 30, PageDown: -30 }[event.key];
      if (event.key === "Escape") pointAt(null);
      if (step === undefined) return;
      event.preventDefault();
      pointAt((cursor ?? 0) + step);
    });
  }

  left = 56;

  /** @param moment seconds of the newest moment. */
  show(points, moment, pointed) {
    const width = Math.max(200, this.svg.clientWidth), height = this.svg.clientHeight || 152;
    const [top, bottom] = [8, height - 18];
    const rows = points.map(point => ({ time: point.time, values: this.series.map(one => point.gap ? null : one.value(point)) }));
    const x = time => this.left + (width - this.left - 1) * (1 - (moment - time) / SPAN);
    const axis = this.axis(rows);
    const y = value => bottom - (bottom - top) * axis.place(value);
    const parts = [];
    for (const value of axis.marks) {
      parts.push(draw("line", { class: "grid", x1: this.left, x2: width, y1: y(value), y2: y(value) }));
      parts.push(draw("text", { x: this.left - 6, y: y(value) + 4, "text-anchor": "end" }, this.text(value)));
    }
    for (let minute = 0; minute <= SPAN / 60; minute += 1) {
      parts.push(draw("text", {
        x: x(moment - minute * 60), y: height - 4, "text-anchor": minute === 0 ? "end" : minute * 60 === SPAN ? "start" : "middle",
      }, minute === 0 ? "now" : minute * 60 === SPAN ? `−${minute} min` : `−${minute}`));
    }
    parts.push(...(this.stacked ? this.areas(rows, x, y) : this.lines(rows, x, y)));
    if (pointed) parts.push(draw("line", { class: "cursor", x1: x(pointed.time), x2: x(pointed.time), y1: top, y2: bottom }));
    this.svg.replaceChildren(...parts);

    const row = pointed ? rows.find(one => one.time === pointed.time) : rows.at(-1);
    const texts = this.series.map((_, place) => this.text(row?.values[place] ?? null));
    this.values.forEach(({ value }, place) => setText(value, texts[place]));
    this.svg.setAttribute("aria-label",
      `${this.title}: ${this.series.map((one, place) => `${one.name} ${texts[place]}`).join(", ")}`);
  }

  axis(rows) {
    const known = rows.flatMap(row => this.stacked ? [sum(row.values.map(value => value ?? 0))] : row.values.filter(v => v !== null));
    if (this.logarithmic) {
      const seen = known.filter(value => value > 0);
      const low = Math.floor(Math.log10(seen.length ? Math.min(...seen) : 1e-4));
      const high = Math.max(low + 1, Math.ceil(Math.log10(seen.length ? Math.max(...seen) : 1)));
      const marks = [];
      const step = Math.ceil((high - low) / 5);
      for (let power = low; power <= high; power += step) marks.push(10 ** power);
      return { marks, place: value => Math.max(0, (Math.log10(Math.max(value, 1e-9)) - low) / (high - low)) };
    }
    const most = roundedUp(Math.max(this.least, ...known));
    return { marks: [0, most / 2, most], place: value => value / most };
  }

  /** Runs of rows without a gap. */
  runs(rows, isThere) {
    const found = [];
    let last = null;
    for (const row of rows) {
      if (!isThere(row)) last = null;
      else if (last) last.push(row);
      else found.push(last = [row]);
    }
    return found;
  }

  lines(rows, x, y) {
    return this.series.flatMap((one, place) => this.runs(rows, row => row.values[place] !== null).map(run => {
      const path = run.map(row => `${x(row.time).toFixed(1)} ${y(row.values[place]).toFixed(1)}`).join("L");
      // A single point is a dash of the line's own width.
      return draw("path", { class: `trace ${one.colour}`, d: "M" + path + (run.length === 1 ? "h2" : "") });
    }));
  }

  areas(rows, x, y) {
    return this.runs(rows, row => row.values.some(value => value !== null)).flatMap(run => {
      let floor = run.map(() => 0);
      return this.series.flatMap((one, place) => {
        const roof = run.map((row, index) => floor[index] + (row.values[place] ?? 0));
        const edge = (heights, index) => `${x(run[index].time).toFixed(1)} ${y(heights[index]).toFixed(1)}`;
        const indices = run.map((_, index) => index);
        const path = [...indices.map(index => edge(roof, index)), ...indices.reverse().map(index => edge(floor, index))].join("L");
        const isEmpty = roof.every((value, index) => value === floor[index]);
        floor = roof;
        return isEmpty ? [] : [draw("path", { class: `area ${one.colour}`, d: `M${path}Z` })];
      });
    });
  }
}

/** A series for each of some labels, and one of all others. */
function labelled(pick, labels) {
  const named = new Set(labels.flatMap(([, members]) => members));
  const of = (point, isMember) => sum(Object.entries(pick(point)).filter(([name]) => isMember(name)).map(([, value]) => value));
  const series = labels.map(([name, members], place) =>
    ({ name, colour: "k" + place, value: point => of(point, label => members.includes(label)) }));
  return [...series, { name: "other", colour: "k7", value: point => of(point, label => !named.has(label)) }];
}

const plots = [
  new Plot("Responses a second", [
    { name: "2xx", colour: "k0", value: point => point.classes["2xx"] },
    { name: "3xx", colour: "k5", value: point => point.classes["3xx"] },
    { name: "4xx", colour: "k1", value: point => point.classes["4xx"] },
    { name: "5xx", colour: "k6", value: point => point.classes["5xx"] },
    { name: "no answer", colour: "k4", value: point => point.classes.none },
  ], { stacked: true, text: rate, least: 10 }),
  new Plot("Latency", [
    { name: "p50", colour: "k0", value: point => point.latency.p50 },
    { name: "p99", colour: "k1", value: point => point.latency.p99 },
    { name: "added p50", colour: "k2", value: point => point.latency.added50 },
    { name: "added p99", colour: "k3", value: point => point.latency.added99 },
  ], { logarithmic: true, text: duration }),
  new Plot("Bytes a second", [
    { name: "from clients", colour: "k1", value: point => point.bytes.received },
    { name: "to clients", colour: "k0", value: point => point.bytes.sent },
  ], { text: byteRate, least: 1000 }),
  new Plot("Client connections by phase", labelled(point => point.phases.downstream ?? {}, [
    ["exchanging", ["exchanging"]], ["reading a head", ["reading_head"]], ["HTTP/2", ["multiplexing"]],
    ["tunnelling", ["tunnelling"]], ["handshaking", ["handshaking", "reading_proxy_header"]], ["waiting", ["waiting"]],
  ]), { stacked: true, text: count, least: 10 }),
  new Plot("Upstream connections by phase", labelled(point => point.phases.upstream ?? {}, [
    ["leased", ["leased"]], ["connecting", ["connecting", "securing"]], ["HTTP/2", ["multiplexing"]],
    ["tunnelling", ["tunnelling"]], ["lent", ["retiring", "borrowed"]], ["pooled", ["pooled"]],
  ]), { stacked: true, text: count, least: 10 }),
  new Plot("Exchanges under way by state", labelled(point => point.states, [
    ["forwarding", ["forwarding"]], ["connecting", ["resolving", "awaiting_stream", "awaiting_offer", "connecting"]],
    ["responding", ["responding"]], ["tunnelling", ["tunnelling"]], ["queued", ["queued", "awaiting_place"]],
    ["authenticating", ["authenticating"]],
  ]), { stacked: true, text: count, least: 10 }),
];

/** Seconds ago that are pointed at, in all plots; null: none. */
let cursor = null;

function pointAt(secondsAgo) {
  cursor = secondsAgo === null ? null : Math.min(SPAN, Math.max(0, secondsAgo));
  showPlots();
}

function showPlots() {
  const last = history.at(-1);
  if (!last) return;
  let pointed = null;
  if (cursor !== null) {
    const wanted = last.time - cursor;
    pointed = history.reduce((best, point) => Math.abs(point.time - wanted) < Math.abs(best.time - wanted) ? point : best);
  }
  setText(find("cursor"), pointed ? `– at ${new Date(pointed.at).toLocaleTimeString()}` : "");
  for (const plot of plots) plot.show(history, last.time, pointed);
}

// MARK: - Tables

const number = { kind: "number" };

/** A table that can be sorted by each column, and filtered by text. */
class Table {
  /**
   * @param columns of each its title, how its cell is written (`text`), by what it is sorted (`by`; else by the text), and of what
   *   kind it is; the first one names the row.
   * @param sort the column that sorts at first, and whether the largest come first.
   */
  constructor(section, title, columns, [sorted, isDescending]) {
    Object.assign(this, { columns, sorted, isDescending, rows: [] });
    this.caption = make("caption");
    this.body = make("tbody");
    this.heads = columns.map((column, place) => {
      const button = make("button", "", column.title);
      button.type = "button";
      if (column.about) button.title = column.about;
      button.addEventListener("click", () => this.sortBy(place));
      const head = make("th", column.kind ?? "", [button]);
      head.scope = "col";
      return head;
    });
    const scroll = make("div", "scroll", [
      make("table", "", [this.caption, make("thead", "", [make("tr", "", this.heads)]), this.body]),
    ]);
    // What scrolls sideways has to be reached by keyboard.
    scroll.tabIndex = 0;
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", title);
    find(section).append(scroll);
    this.markSort();
  }

  sortBy(place) {
    this.isDescending = place === this.sorted ? !this.isDescending : this.columns[place].kind === "number";
    this.sorted = place;
    this.markSort();
    this.render();
  }

  markSort() {
    this.heads.forEach((head, place) => {
      if (place === this.sorted) head.setAttribute("aria-sort", this.isDescending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
  }

  compare = (a, b) => {
    const column = this.columns[this.sorted];
    const key = column.by ?? column.text;
    const [first, second] = [key(a), key(b)];
    // What is not known comes last, in either order.
    if (first === null || first === undefined || second === null || second === undefined)
      return ((first ?? null) === null) - ((second ?? null) === null);
    const order = typeof first === "number" ? first - second : String(first).localeCompare(String(second), "en", { numeric: true });
    return this.isDescending ? -order : order;
  };

  matches = row => needle === "" || this.columns.some(column => column.text(row).toLowerCase().includes(needle));

  /** Which rows are shown, and in which order. */
  order(rows) { return rows.filter(this.matches).sort(this.compare); }

  show(rows, about) {
    Object.assign(this, { rows, about });
    this.render();
  }

  render() {
    const all = this.order(this.rows);
    const shown = all.slice(0, MOST_ROWS);
    const notes = [this.about];
    if (needle !== "") notes.push(`${count(all.length)} with “${needle}”`);
    if (shown.length < all.length) notes.push(`the first ${count(shown.length)} are shown: filter to see others`);
    setText(this.caption, notes.filter(note => note).join("; "));
    while (this.body.rows.length > shown.length) this.body.lastElementChild.remove();
    while (this.body.rows.length < shown.length) this.body.append(this.emptyRow());
    shown.forEach((row, place) => this.fill(this.body.rows[place], row));
  }

  emptyRow() {
    return make("tr", "", this.columns.map((column, place) => {
      const cell = make(place === 0 ? "th" : "td");
      if (place === 0) cell.scope = "row";
      return cell;
    }));
  }

  fill(line, row) {
    setClass(line, row.isBelow ? "below" : "");
    this.columns.forEach((column, place) => {
      const cell = line.cells[place];
      setText(cell, column.text(row));
      setClass(cell, [column.kind, column.mark?.(row)].filter(name => name).join(" "));
    });
  }
}

/** Clusters, each with its endpoints below it. */
class ClusterTable extends Table {
  order(clusters) {
    const own = clusters.map(cluster => {
      const isNamed = this.matches(cluster);
      return { cluster, endpoints: cluster.below.filter(endpoint => isNamed || this.matches(endpoint)), isNamed };
    });
    return own.filter(({ isNamed, endpoints }) => isNamed || endpoints.length > 0)
      .sort((a, b) => this.compare(a.cluster, b.cluster))
      .flatMap(({ cluster, endpoints }) => [cluster, ...(find("endpoints").checked ? endpoints.sort(this.compare) : [])]);
  }
}

const column = (title, key, write, more = {}) => ({ title, text: row => write(row[key]), by: row => row[key], ...number, ...more });
const hot = key => row => row[key] > 0 ? "bad" : "";

const tables = {
  exchanges: new Table("exchanges", "Exchanges under way", [
    { title: "Age", ...number, text: row => duration(row.age), by: row => row.age, mark: row => row.age >= 1 ? "warn" : "" },
    { title: "State", text: row => words(row.state) },
    { title: "Waits for", kind: "wide", text: row => plain(row.waits_for) },
    {
      title: "Stage", text: row => row.stage ? `${words(row.stage)}, ${duration(row.stage_age)}` : "–",
      about: "Of the ledger, and since when",
    },
    { title: "Request", kind: "wide", text: row => plain(request(row)) },
    { title: "Client", text: row => plain(row.client ?? "–") },
    { title: "Cluster", text: row => plain(row.cluster ?? "–") },
    { title: "Endpoint", text: row => plain(row.endpoint ?? "–") },
    column("Attempts", "attempts", count),
    { title: "Id", kind: "id", text: row => row.id ?? "–", about: "As the access log has it" },
    column("Worker", "worker", count),
  ], [0, true]),
  clusters: new ClusterTable("clusters", "Clusters", [
    { title: "Cluster, endpoint", text: row => plain(row.title) },
    { title: "State", text: row => row.condition, mark: row => row.isWell ? "good" : "bad" },
    column("Requests/s", "rate", rate),
    column("Errors/s", "errors", rate, { mark: hot("errors"), about: "Answers of class 5xx, and none at all" }),
    column("p50", "p50", duration), column("p99", "p99", duration),
    column("Wait", "wait", duration, { about: "Mean time until the upstream's answer began" }),
    column("In use", "in_use", count), column("Idle", "idle", count),
    column("Under way", "under_way", count),
    column("Waiting", "waiting", count, { about: "Exchanges that wait for a connection, or in the cluster's queue" }),
  ], [0, false]),
  failures: new Table("failures", "Failures by cause", [
    { title: "Cause", text: row => words(row.name) },
    column("A second", "rate", rate, { mark: hot("rate") }),
    column("Five minutes", "recent", count, { about: "Or since this page began to ask" }), column("Since start", "count", count),
  ], [2, true]),
  listeners: new Table("listeners", "Listeners", [
    { title: "Address", text: row => row.address }, { title: "Role", text: row => row.role },
    { title: "TLS", text: row => row.tls ? "yes" : "no" },
    column("Requests/s", "rate", rate), column("Errors/s", "errors", rate, { mark: hot("errors") }),
    column("p50", "p50", duration), column("p99", "p99", duration),
    column("Added p50", "added50", duration), column("Added p99", "added99", duration),
  ], [0, false]),
  workers: new Table("workers", "Workers", [
    column("Worker", "worker", count, { kind: "" }),
    { title: "State", text: row => row.late ? "late" : "on time", mark: row => row.late ? "bad" : "good" },
    column("Connections", "downstream_connections", count), column("Streams", "streams", count),
    column("Exchanges", "exchanges", count), column("Requests/s", "rate", rate), column("Turns/s", "turnRate", rate),
    column("Completions/turn", "perTurn", value => value === null ? "–" : tenths.format(value)),
    column("ENOBUFS", "slices_exhausted", count, { about: "Receives that found no slice" }),
    column("Overflows", "completion_overflows", count, { mark: hot("completion_overflows"), about: "Of the completion queue" }),
    column("Entry failures", "entry_failures", count, { mark: hot("entry_failures") }),
    column("Short sends", "short_sends", count),
    column("Buffers", "buffers_leased_bytes", size), column("Peak", "buffers_peak_bytes", size),
  ], [0, false]),
  counters: new Table("counters", "Counters", [
    { title: "Counter", text: row => row.name }, column("A second", "rate", rate), column("Since start", "count", count),
  ], [0, false]),
};

function request(exchange) {
  const kind = exchange.kind === "ordinary" ? "" : `(${exchange.kind})`;
  const target = (exchange.host ?? "") + (exchange.path ?? "");
  return [kind, exchange.method, target].filter(part => part).join(" ") || "–";
}

function condition(cluster) {
  const healthy = cluster.endpoints.filter(endpoint => endpoint.state === "healthy").length;
  const text = `${healthy} of ${cluster.endpoints.length} healthy`;
  return cluster.panic ? text + ", panic" : text;
}

function endpointCondition(endpoint) {
  const text = words(endpoint.state);
  if (!endpoint.ejected_for) return text;
  return `${text} for ${endpoint.ejected_for}, ${duration(endpoint.ejected_until_seconds)} more`;
}

// MARK: - What is shown

const tiles = new Map();
let showCounters = () => {};

function tile(name, text, mark = "") {
  if (!tiles.has(name)) {
    const value = make("dd");
    find("tiles").append(make("div", "", [make("dt", "", name), value]));
    tiles.set(name, value);
  }
  setText(tiles.get(name), text);
  setClass(tiles.get(name), mark);
}

function show(now, change) {
  const { process } = now;
  setText(find("version"), process.version);
  setText(find("process"), [
    `pid ${process.pid}`, `up ${longDuration(process.uptime_seconds ?? 0)}`, process.engine,
    `${several(process.configuration_reloads, "reload")}, ${count(process.configuration_reloads_refused)} refused`,
  ].join(" · "));
  const wrong = change.classes["5xx"] === null ? null : change.classes["5xx"] + change.classes.none;
  tile("Requests/s", rate(change.requests));
  tile("Errors/s", rate(wrong), wrong > 0 ? "bad" : "");
  tile("p50", duration(change.latency.p50));
  tile("p99", duration(change.latency.p99));
  tile("Added p50", duration(change.latency.added50));
  tile("Added p99", duration(change.latency.added99));
  tile("Under way", count(now.exchanges_under_way));
  tile("Client connections", count(sum(now.workers.map(worker => worker.downstream_connections))));
  tile("Upstream reuse", percent(change.reuse));
  tile("From upstreams", byteRate(change.bytes.upReceived));
  tile("To upstreams", byteRate(change.bytes.upSent));
  tile("CPU", percent(change.cpu));
  tile("Memory", size(process.resident_bytes));
  tile("Descriptors", `${count(process.open_descriptors)} of ${count(process.descriptor_limit)}`);

  showPlots();
  tables.exchanges.show(now.exchanges, now.exchanges.length < now.exchanges_under_way
    ? `the oldest ${count(now.exchanges.length)} of ${count(now.exchanges_under_way)}${find("tunnels").checked ? "" : ", without tunnels"}`
    : several(now.exchanges.length, "exchange"));
  tables.clusters.show(change.clusters.map(cluster => ({
    ...cluster,
    title: `${cluster.name} (${cluster.balance})`,
    condition: condition(cluster),
    isWell: !cluster.panic && cluster.endpoints.every(endpoint => endpoint.state === "healthy"),
    in_use: sum(cluster.endpoints.map(endpoint => endpoint.in_use)),
    idle: sum(cluster.endpoints.map(endpoint => endpoint.idle)),
    under_way: cluster.under_way ?? sum(cluster.endpoints.map(endpoint => endpoint.under_way)),
    waiting: (cluster.queued ?? 0) + sum(cluster.endpoints.map(endpoint => endpoint.waiting)),
    below: cluster.endpoints.map(endpoint => ({
      ...endpoint, title: endpoint.endpoint, condition: endpointCondition(endpoint), isWell: endpoint.state === "healthy", isBelow: true,
    })),
  })), `${several(now.clusters.length, "cluster")}, ${several(sum(now.clusters.map(cluster => cluster.endpoints.length)), "endpoint")}`);
  const first = history.find(point => !point.gap)?.failures ?? {};
  tables.failures.show(Object.entries(now.failures).map(([name, value]) =>
    ({ name, count: value, recent: value - (first[name] ?? 0), rate: change.failures(name) })),
  Object.keys(now.failures).length === 0 ? "none since the process began" : "");
  tables.listeners.show(change.listeners, "");
  tables.workers.show(change.workers, "");
  showCounters = () => {
    if (!document.querySelector("details").open) return;
    tables.counters.show(Object.entries(now.counters).filter(([, value]) => value > 0)
      .map(([name, value]) => ({ name, count: value, rate: change.counter(name) })), "");
  };
  showCounters();
}

// MARK: - Notices

const notices = new Map();

/** Says something, or with null says it no more. */
function notice(key, text, mark = "warn") {
  if (text === null) {
    notices.get(key)?.remove();
    notices.delete(key);
    return;
  }
  if (!notices.has(key)) {
    notices.set(key, make("p", `notice ${mark}`));
    find("notices").append(notices.get(key));
  }
  setText(notices.get(key), text);
}

function setState(text, mark) {
  setText(find("state"), text);
  setClass(find("state"), `state ${mark}`);
}

// MARK: - Asking

const TOKEN = "uproxy admin token";
const history = [];
let before = null;              // The last answer, and when it came.
let needle = "";
let isPaused = false;
let timer = null;
let asking = null;              // What ends the question that is under way.
let began = -Infinity;          // The last question.
let silentSince = null;

class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function ask(signal) {
  // A filter looks at more of them.
  const query = new URLSearchParams({ exchanges: needle === "" ? 100 : 500, tunnels: find("tunnels").checked });
  const token = sessionStorage.getItem(TOKEN);
  const answer = await fetch(`api/v1/overview?${query}`, {
    signal, cache: "no-store", credentials: "omit", headers: token === null ? {} : { Authorization: `Bearer ${token}` },
  });
  if (answer.ok) return answer.json();
  const why = await answer.json().catch(() => ({}));
  throw new Refusal(answer.status, why.error ?? "no reason given");
}

/** One question and its answer; then the next one, a second after this one. */
async function poll() {
  clearTimeout(timer);
  if (asking || isPaused || document.hidden) return;
  const early = began + SHORTEST - performance.now();
  if (early > 0) {
    timer = setTimeout(poll, early);
    return;
  }
  began = performance.now();
  asking = new AbortController();
  const patience = setTimeout(() => asking.abort(), PATIENCE);
  let isWorthwhile = true;
  try {
    const now = await ask(asking.signal);
    take(now, performance.now() / 1000);
  } catch (error) {
    isWorthwhile = failed(error);
  } finally {
    clearTimeout(patience);
    asking = null;
  }
  if (isWorthwhile) timer = setTimeout(poll, Math.max(100, PERIOD - (performance.now() - began)));
}

function take(now, at) {
  silentSince = null;
  find("ask").hidden = true;
  find("figures").hidden = false;
  find("figures").className = "";
  notice("silence", null);
  notice("refusal", null);
  if (before && isAnother(before.answer, now)) {
    const another = before.answer.process.pid === now.process.pid
      ? "The counters began anew" : `Another process answers: pid ${before.answer.process.pid} became ${now.process.pid}`;
    notice("another", `${another}, at ${new Date().toLocaleTimeString()}. What is counted begins here.`);
    setTimeout(() => notice("another", null), SPAN * 1000);
    history.length = 0;
    before = null;
  }
  let seconds = null;
  if (before) {
    seconds = now.process.now - before.answer.process.now;
    // The proxy's clock knows better when it was asked, unless somebody has set it.
    if (Math.abs(seconds - (at - before.at)) > 1 || seconds <= 0) seconds = at - before.at;
    if (seconds > LONGEST_STEP) {
      history.push({ time: at, at: Date.now(), gap: true });
      before = null;
    }
  }
  const change = interval(before?.answer ?? null, now, seconds);
  before = { answer: now, at };
  history.push({
    time: at, at: Date.now(), classes: change.classes, latency: change.latency, bytes: change.bytes,
    phases: now.connections, states: now.exchange_states, failures: now.failures,
  });
  while (history[0].time < at - SPAN) history.shift();

  const late = now.late_workers;
  notice("late", late.length === 0 ? null : (late.length === 1 ? `Worker ${late[0]} is ` : `Workers ${late.join(", ")} are `)
    + "late: no turn was taken for half a second. Connections and exchanges there are missing here.", "bad");
  if (late.length > 0) setState(`${late.length} of ${now.workers.length} workers late`, "bad");
  else if (now.process.ready) setState("ready", "good");
  else setState("draining", "warn");
  show(now, change);
}

/** Says why there is no answer; whether it is of use to ask again. */
function failed(error) {
  // What was stopped by a click is no failure.
  if (isPaused || (error.name === "AbortError" && document.hidden)) return false;
  find("figures").className = "old";
  if (error instanceof Refusal && error.status === 401) {
    const isWrong = sessionStorage.getItem(TOKEN) !== null;
    sessionStorage.removeItem(TOKEN);
    setText(find("asked"), isWrong ? "That is not the admin token." : "The admin API wants its token.");
    notice("silence", null);
    setState("token wanted", "warn");
    find("ask").hidden = false;
    find("token").focus();
    return false;
  }
  if (error instanceof Refusal) {
    setState("refused", "bad");
    notice("refusal", `The admin API answers ${error.status}: ${plain(error.message)}`, "bad");
    return true;
  }
  silentSince ??= Date.now();
  setState("no answer", "bad");
  const since = new Date(silentSince).toLocaleTimeString();
  notice("silence", `The proxy does not answer, since ${since}. It is asked again each second.`, "bad");
  return true;
}

// MARK: - What a person does

function setPaused(value) {
  isPaused = value;
  find("pause").setAttribute("aria-pressed", String(value));
  setText(find("pause"), value ? "Go on" : "Pause");
  notice("pause", value ? `Paused at ${new Date().toLocaleTimeString()}: nothing is asked.` : null);
  if (!value) poll();
}

find("plots").append(...plots.map(plot => plot.figure));
find("pause").addEventListener("click", () => setPaused(!isPaused));
find("filter").addEventListener("input", event => {
  needle = event.target.value.trim().toLowerCase();
  for (const table of Object.values(tables)) table.render();
});
find("endpoints").addEventListener("change", () => tables.clusters.render());
find("tunnels").addEventListener("change", poll);
document.querySelector("details").addEventListener("toggle", () => showCounters());
find("ask").addEventListener("submit", event => {
  event.preventDefault();
  const token = find("token").value.trim();
  // What a field of HTTP cannot carry is no token.
  if (!/^[\x21-\x7e]+$/.test(token)) {
    setText(find("asked"), "A token has no spaces, and ASCII characters alone.");
    return;
  }
  sessionStorage.setItem(TOKEN, token);
  find("token").value = "";
  poll();
});
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target instanceof HTMLInputElement) {
    if (event.key === "Escape" && event.target.id === "filter") event.target.blur();
    return;
  }
  if (event.key === "p") setPaused(!isPaused);
  if (event.key === "/") {
    event.preventDefault();
    find("filter").focus();
  }
});
document.addEventListener("visibilitychange", poll);
addEventListener("resize", showPlots);
document.title = `uproxy ${location.host}`;
poll();
