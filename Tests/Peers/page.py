#!/usr/bin/env python3
"""The status page in a real browser: peers.py runs the case `page`. By itself it takes the picture that README.md shows:

    UPROXY=path/to/uproxy Tests/Peers/page.py --screenshot FILE [--seconds N] [--dark]
"""
import base64
import collections
import contextlib
import itertools
import json
import os
import random
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import Answer, Origin, Proxy, Skip, WebSocket, check, exchange, receive_head


class Browser:
    """Chromium without a screen, told what to do by the DevTools protocol; it has one page."""

    def __init__(self):
        path = shutil.which("chromium")
        if not path:
            raise Skip("there is no chromium here (apt-get install chromium)")
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        # It writes a line when it listens.
        self.process = subprocess.Popen(
            [path, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-extensions",
             f"--user-data-dir={self.folder.name}", "--remote-debugging-port=0", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.events = []
        self.number = 0
        listening = None
        while not listening:
            line = self.process.stderr.readline().decode()
            check(line, "chromium ended")
            listening = re.search(r"DevTools listening on ws://([\d.]+):(\d+)/", line)
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        host, port = listening.groups()
        pages = json.load(urllib.request.urlopen(f"http://{host}:{port}/json/list"))
        target = next(one["webSocketDebuggerUrl"] for one in pages if one["type"] == "page")
        self.connection = socket.create_connection((host, int(port)), timeout=30)
        self.connection.sendall(
            f"GET /{target.split('/', 3)[3]} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n\r\n".encode())
        head, rest = receive_head(self.connection)
        check(" 101 " in head, head)
        self.socket = WebSocket(self.connection, rest, masks=True)
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()

    def next(self):
        opcode, data = self.socket.receive()
        check(opcode != 8, "chromium ended")
        return json.loads(data)

    def call(self, method, **parameters):
        self.number += 1
        number = self.number
        self.socket.send(1, json.dumps({"id": number, "method": method, "params": parameters}).encode())
        while True:
            message = self.next()
            if message.get("id") == number:
                check("error" not in message, f"{method}: {message.get('error')}")
                return message["result"]
            self.events.append(message)

    def event(self, method):
        """The next one of a name, also if it came in between."""
        while True:
            for place, message in enumerate(self.events):
                if message["method"] == method:
                    return self.events.pop(place)["params"]
            self.events.append(self.next())

    def evaluate(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        check("exceptionDetails" not in answer, f"{expression}: {answer.get('exceptionDetails')}")
        return answer["result"].get("value")

    def until(self, condition, seconds=10):
        """Waits until a condition of the page holds; what it then is."""
        found = self.evaluate(f"""new Promise(done => {{
            const watch = new MutationObserver(look);
            const end = setTimeout(() => finish(null), {seconds * 1000});
            function finish(value) {{ watch.disconnect(); clearTimeout(end); done(value); }}
            function look() {{ const value = {condition}; if (value) finish(value); }}
            watch.observe(document, {{subtree: true, childList: true, characterData: true, attributes: true}});
            look();
        }})""")
        check(found, f"not within {seconds} s: {condition}; the page says: " + self.evaluate("document.body.innerText"))
        return found

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.event("Page.loadEventFired")

    def key(self, name, text=None):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name, **({"text": text} if text and kind == "keyDown" else {}))

    def resize(self, width, height, isMobile=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=isMobile)

    def complaints(self):
        """What its console says of errors, refused content, exceptions; and forgets it."""
        said = []
        for message in self.events:
            method, parameters = message["method"], message.get("params", {})
            if method == "Runtime.exceptionThrown":
                said.append(json.dumps(parameters["exceptionDetails"]))
            elif method == "Runtime.consoleAPICalled":
                said.append(json.dumps(parameters["args"]))
            elif method == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
                said.append(parameters["entry"]["source"] + ": " + parameters["entry"]["text"])
        self.events.clear()
        return said

    def screenshot(self):
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])


class Hanging(Answer):
    """Answers, but below /hang when it is let go alone; below /wrong with 500."""

    def do_GET(self):
        if self.path.startswith("/hang"):
            self.server.released.wait(60)
        if self.path.startswith("/wrong"):
            self.send_response(500)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        time.sleep(self.server.delay())
        super().do_GET()


@contextlib.contextmanager
def hanging(delay=lambda: 0):
    with Origin(Hanging) as origin:
        origin.server.released, origin.server.delay = threading.Event(), delay
        try:
            yield origin
        finally:
            origin.server.released.set()


def row(table, text):
    """The texts of the cells of the row that has one."""
    return (f"(() => {{ const row = [...document.querySelectorAll('#{table} tbody tr')].find(row => "
            f"row.textContent.includes({json.dumps(text)})); return row && [...row.cells].map(cell => cell.textContent); }})()")


def older(path, seconds):
    """Whether the exchange with such a path has an age of as much."""
    return f"(age => age?.endsWith(' s') && parseFloat(age) >= {seconds})({row('exchanges', path)}?.[0])"


def titles(table):
    return f"[...document.querySelectorAll('#{table} thead th')].map(head => head.textContent)"


def page(driver):
    """Chromium shows what hangs within a second, peers' texts as text, a proxy that ends and comes back, and asks for the token."""
    with contextlib.ExitStack() as stack:
        browser = stack.enter_context(Browser())
        origin = stack.enter_context(hanging())
        serving = ("--listen", "127.0.0.1:0", "--upstream", origin.address, "--threads", "2", "--timeout-drain", "100ms")
        with Proxy(driver, *serving) as proxy:
            admin = proxy.admin
            secured(admin)
            browser.open(f"http://{admin}/")
            browser.until("document.getElementById('state').textContent === 'ready'")
            first, client = proxy.pid, proxy.connect()
            note = hangs(browser, client)
            usable(browser)
            foreign(browser, admin)
            check(browser.complaints() == [], "complaints")
            origin.server.released.set()
            client.close()
        browser.until("document.getElementById('notices').textContent.includes('The proxy does not answer')")
        comes_back(browser, driver, admin, serving, first)
        said = browser.complaints()
        check(all(one.startswith("network: Failed to load resource: ") for one in said), said)
        return note


def secured(admin):
    """What is served says what it may do; who asks the API from a page changes nothing."""
    for path, kind in (("", "text/html"), ("status.js", "text/javascript"), ("status.css", "text/css")):
        with urllib.request.urlopen(f"http://{admin}/{path}") as answer:
            policy = answer.headers["Content-Security-Policy"]
            check(answer.headers["Content-Type"] == f"{kind}; charset=utf-8", path)
            check(answer.headers["X-Content-Type-Options"] == "nosniff", path)
            check(answer.headers["Referrer-Policy"] == "no-referrer", path)
            for part in ("default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src data:",
                         "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"):
                check(part in policy.split("; "), f"{path}: {policy}")
            check("unsafe" not in policy, policy)
    try:
        urllib.request.urlopen(urllib.request.Request(f"http://{admin}/", data=b"", method="POST"))
        check(False, "a POST was taken")
    except urllib.error.HTTPError as refusal:
        check(refusal.code == 405, refusal.code)


def hangs(browser, client):
    for _ in range(20):
        exchange(client, b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
    exchange(client, b"GET /wrong HTTP/1.1\r\nHost: h\r\n\r\n")
    browser.until(row("clusters", "127.0.0.1") + "?.length")
    began = time.monotonic()
    client.sendall(b"GET /hang/a?secret HTTP/1.1\r\nHost: h\r\n\r\n")
    cells = browser.until(row("exchanges", "/hang/a"))
    took = time.monotonic() - began
    # A second until it is asked again, and what machine and browser need.
    check(took < 2, f"an exchange that hangs was shown after {took:.1f} s")
    shown = dict(zip(browser.evaluate(titles("exchanges")), cells))
    check(shown["State"] == "forwarding" and shown["Waits for"].startswith("the answer of 127.0.0.1:"), shown)
    check(shown["Request"] in ("GET h/hang/a", "GET /hang/a"), shown)
    check(shown["Client"] == "127.0.0.1" and shown["Attempts"] == "1" and re.fullmatch("[0-9a-f]{16}", shown["Id"]), shown)
    check(re.fullmatch(r"[\d.]+ (ms|s)", shown["Age"]) and "secret" not in str(shown), shown)
    # Its age goes on, and what was done before is in plots and tables.
    browser.until(older("/hang/a", 2))
    cluster = dict(zip(browser.evaluate(titles("clusters")), browser.evaluate(row("clusters", "round-robin"))))
    check(cluster["State"] == "1 of 1 healthy" and cluster["In use"] == "1", cluster)
    label = "document.querySelector('#plots svg').getAttribute('aria-label')"
    check("2xx" in browser.evaluate(label), browser.evaluate(label))
    check(browser.evaluate("document.querySelectorAll('#plots svg path').length") > 0, "nothing is plotted")
    return f"shown after {took:.2f} s"


def usable(browser):
    """Narrow and wide, sorted, filtered, by keyboard, paused."""
    for width in (360, 1600):
        browser.resize(width, 900, isMobile=width < 500)
        wide = browser.evaluate("document.documentElement.scrollWidth")
        check(wide <= width, f"{wide} pixels at {width}")
    browser.evaluate("document.querySelectorAll('#exchanges thead button')[4].click()")
    check(browser.evaluate("document.querySelectorAll('#exchanges th')[4].getAttribute('aria-sort')") == "ascending", "sorted")
    browser.key("/", "/")
    check(browser.evaluate("document.activeElement.id") == "filter", "the key / goes to the filter")
    browser.call("Input.insertText", text="No Such Thing")
    browser.until("document.querySelectorAll('#exchanges tbody tr, #clusters tbody tr').length === 0")
    browser.evaluate("filter.select()")
    browser.call("Input.insertText", text="/HANG/")
    browser.until(row("exchanges", "/hang/a"))
    browser.evaluate("filter.select()")
    browser.call("Input.dispatchKeyEvent", type="keyDown", key="Backspace", code="Backspace", windowsVirtualKeyCode=8)
    browser.until(row("clusters", "round-robin"))
    browser.key("Escape")
    browser.key("p", "p")
    browser.until("document.getElementById('pause').getAttribute('aria-pressed') === 'true'")
    browser.key("p", "p")
    browser.until("document.getElementById('pause').getAttribute('aria-pressed') === 'false'")
    # All that can be used has a name, and every table a head of its rows.
    nameless = browser.evaluate(
        "[...document.querySelectorAll('button, input, svg[tabindex], [role=region]')].filter(one => !(one.textContent.trim() || "
        "one.labels?.length || one.getAttribute('aria-label'))).map(one => one.outerHTML)")
    check(nameless == [], nameless)


def foreign(browser, admin):
    """An answer with what a hostile peer might get into it, and with a worker that is late."""
    evil = ["<script>window.taken = 1</script>", "<img src=x onerror='window.taken = 1'>", "a\u202eb\u0007"]
    answer = json.load(urllib.request.urlopen(f"http://{admin}/api/v1/overview"))
    one = answer["exchanges"][0]
    answer["exchanges"] = [{**one, "path": "/" + text, "host": text, "method": text, "client": text, "waits_for": text} for text in evil]
    answer["late_workers"] = [1]
    answer["failures"] = {evil[1]: 3}
    answer["clusters"][0]["name"] = evil[0]
    browser.call("Fetch.enable", patterns=[{"urlPattern": "*/api/v1/overview*"}])
    paused = browser.event("Fetch.requestPaused")
    browser.call(
        "Fetch.fulfillRequest", requestId=paused["requestId"], responseCode=200,
        responseHeaders=[{"name": "Content-Type", "value": "application/json"}], body=base64.b64encode(json.dumps(answer).encode()).decode())
    for text in evil[:2]:
        cells = browser.until(row("exchanges", text))
        check(cells[4] == f"{text} {text}/{text}", cells)
    check(browser.evaluate(row("exchanges", "a\\u{202e}b\\u{7}")), "controls are written as numbers")
    check(browser.evaluate(row("failures", evil[1])), "a cause")
    check(browser.evaluate("document.getElementById('state').textContent") == "1 of 2 workers late", "late")
    check("Worker 1 is late" in browser.evaluate("document.getElementById('notices').textContent"), "late")
    check(browser.evaluate("document.querySelectorAll('main img, main script, #notices *:not(p)').length") == 0, "made elements")
    check(browser.evaluate("window.taken === undefined"), "a peer's script ran")
    browser.call("Fetch.disable")
    browser.until("document.getElementById('state').textContent === 'ready'")


def comes_back(browser, driver, admin, serving, first):
    """Another process in the place of the first, which wants a token."""
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("open-sesame-0123456789\n")
        file.flush()
        with Proxy(driver, *serving, "--admin", admin, "--admin-token-file", file.name) as proxy:
            browser.until("!document.getElementById('ask').hidden")
            check(browser.evaluate("document.activeElement.id") == "token", "the token is asked for")
            for token, outcome in (
                ("wrong", "document.getElementById('asked').textContent === 'That is not the admin token.'"),
                ("open-sesame-0123456789", "document.getElementById('ask').hidden"),
            ):
                browser.call("Input.insertText", text=token)
                browser.key("Enter", "\r")
                browser.until(outcome)
            notice = "document.getElementById('notices').textContent"
            browser.until(f"{notice}.includes('pid {first} became {proxy.pid},')")
            check("does not answer" not in browser.evaluate(notice), "it answers again")
            check(browser.evaluate("sessionStorage.length === 1 && localStorage.length === 0 && document.cookie === ''"), "kept")


def fewer_colours(image):
    """A PNG of no more than 256 colours from one of 8-bit RGB or RGBA: a quarter of the bytes, and hardly seen."""
    place, chunks = 8, {}
    while place < len(image):
        length, kind = struct.unpack(">I4s", image[place : place + 8])
        chunks[kind] = chunks.get(kind, b"") + image[place + 8 : place + 8 + length]
        place += length + 12
    width, height, _, colours = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    size = {2: 3, 6: 4}[colours]
    data, before, lines = zlib.decompress(chunks[b"IDAT"]), bytes(width * size), []
    for start in range(0, height * (width * size + 1), width * size + 1):
        line = bytearray(data[start + 1 : start + 1 + width * size])
        before = unfiltered(data[start], line, before, size)
        lines.append([before[pixel : pixel + 3] for pixel in range(0, width * size, size)])
    seen = collections.Counter(itertools.chain.from_iterable(lines))
    palette = [colour for colour, _ in seen.most_common(256)]
    nearest = {colour: min(range(len(palette)), key=lambda i: sum((a - b) ** 2 for a, b in zip(palette[i], colour))) for colour in seen}

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixels = b"".join(b"\0" + bytes(map(nearest.__getitem__, line)) for line in lines)
    return (image[:8] + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)) + chunk(b"PLTE", b"".join(palette))
            + chunk(b"IDAT", zlib.compress(pixels, 9)) + chunk(b"IEND", b""))


def unfiltered(kind, line, before, size):
    """A line of a PNG as it was before its filter (PNG, section 9)."""
    for i in range(len(line)) if kind else ():
        left, up, corner = (line[i - size], before[i], before[i - size]) if i >= size else (0, before[i], 0)
        if kind == 4:
            guess = min((abs(up - corner), 0, left), (abs(left - corner), 1, up), (abs(left + up - 2 * corner), 2, corner))[2]
        else:
            guess = (0, left, up, (left + up) // 2)[kind]
        line[i] = line[i] + guess & 255
    return bytes(line)


CONFIGURATION = """
listeners: [{address: "127.0.0.1:0", routes: site}]
routes:
  site: [{match: {path: /api/*}, cluster: api}, {cluster: shop}]
clusters:
  shop: {endpoints: ["SHOP0", "SHOP1"]}
  api: {endpoints: ["API0", "API1", "DEAD"], health: {interval: 2s, timeout: 1s}}
"""


def picture(path, seconds, isDark):
    """A proxy under some load, with an exchange that hangs, as the page shows it after so long."""
    chance = random.Random(6)
    with contextlib.ExitStack() as stack:
        browser = stack.enter_context(Browser())
        origins = [stack.enter_context(hanging(lambda: chance.expovariate(1 / 0.004))) for _ in range(4)]
        dead = socket.create_server(("127.0.0.1", 0))
        names = dict(zip(("SHOP0", "SHOP1", "API0", "API1"), (origin.address for origin in origins)))
        names["DEAD"] = "127.0.0.1:%d" % dead.getsockname()[1]
        dead.close()
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        with open(f"{folder}/uproxy.yaml", "w") as file:
            file.write(re.sub("[A-Z]+[0-9]?(?=\")", lambda name: names.get(name[0], name[0]), CONFIGURATION))
        proxy = stack.enter_context(Proxy(None, "--config", f"{folder}/uproxy.yaml", "--threads", "2", "--timeout-drain", "100ms"))
        enough = threading.Event()

        def load(place):
            client, chance = proxy.connect(), random.Random(place)
            while not enough.is_set():
                kind = chance.choices(("/cart", "/api/items", "/wrong", "/bytes/60000"), (50, 40, 1, 9))[0]
                exchange(client, f"GET {kind} HTTP/1.1\r\nHost: shop.example\r\n\r\n".encode())
                # Busier and quieter, as people are.
                busy = 1 + (time.monotonic() // 20 + place) % 5
                time.sleep(chance.expovariate(busy * 4))

        people = [threading.Thread(target=load, args=(place,), daemon=True) for place in range(24)]
        for person in people:
            person.start()
        browser.resize(1280, 1440)
        if isDark:
            browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
        browser.open(f"http://{proxy.admin}/")
        time.sleep(max(0, seconds - 14))
        hung = proxy.connect()
        hung.sendall(b"GET /hang/report/2026 HTTP/1.1\r\nHost: shop.example\r\n\r\n")
        browser.until(older("/hang/report", 12), 30)
        image = fewer_colours(browser.screenshot())
        enough.set()
        for person in people:
            person.join()
        with open(path, "wb") as file:
            file.write(image)
        print(f"{path}: {len(image) / 1000:.0f} kB; the console says {browser.complaints() or 'nothing'}")
        hung.close()
        for origin in origins:
            origin.server.released.set()


def main():
    import argparse

    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--screenshot", metavar="FILE", required=True)
    options.add_argument("--seconds", type=int, default=300, help="of load before it is taken")
    options.add_argument("--dark", action="store_true")
    chosen = options.parse_args()
    try:
        picture(chosen.screenshot, chosen.seconds, chosen.dark)
    except Skip as why:
        sys.exit(str(why))


if __name__ == "__main__":
    main()
