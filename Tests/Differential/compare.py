"""Generates messages, has them read by uproxy's parsers and by h11, and reports every message that uproxy accepts and
h11 reads differently. Run by scripts/differential."""

import random
import struct
import subprocess
import sys

import h11
from h11._connection import _body_framing

reader, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = random.Random(seed)

METHODS = [b"GET", b"GET", b"POST", b"HEAD", b"PUT", b"OPTIONS", b"CONNECT", b"get", b"PROPFIND", b"TRACE"]
TARGETS = [b"/", b"/a?b=c", b"http://e.com/", b"http://e.com:80/x?y", b"e.com:443", b"[::1]:443", b"*", b"//x", b"/|^",
           b"http://u@e.com/", b"HTTPS://E.com", b"/%00", b"/a#b", b"/a\\b", b"/?\\"]
VERSIONS = [b"HTTP/1.1"] * 8 + [b"HTTP/1.0"] * 2 + [b"HTTP/2.0", b"HTTP/1.2", b"http/1.1"]
NAMES = [b"Host", b"Content-Length", b"Transfer-Encoding", b"Connection", b"Upgrade", b"TE", b"X-A", b"x-a", b"Accept",
         b"Keep-Alive", b"Expect", b"Via", b"Trailer", b"Max-Forwards", b"Proxy-Connection", b"Content_Length", b"A!#$"]
VALUES = [b"", b"h", b"e.com:80", b"5", b"0", b"05", b"+5", b"5,5", b"5 ", b"chunked", b"Chunked", b"gzip, chunked",
          b"identity", b"chunked, chunked", b"close", b"keep-alive", b"upgrade, te", b"x-a", b"websocket", b"trailers",
          b"100-continue", b"a, b", b"\t x \t", b"a\xffb", b"\"q\"", b"a:b", b"18446744073709551616", b"xchunked"]
STATUSES = [b"200", b"200", b"204", b"304", b"404", b"500", b"100", b"101", b"103", b"599", b"99", b"600", b"2000"]
ODD = [b"\r", b"\n", b"\r\n", b"\0", b"\x0b", b"\x0c", b" ", b"\t", b":", b",", b";", b"\x7f", b"\x80", b"\xa0", b"\xff", b"0",
       b"\"", b"\\", b"#", b"@", b"[", b"/", b"x", b"+", b"_", b"\r\n ", b"\x1c", b"\x85"]
CHUNKS = [b"5\r\nhello\r\n", b"1\r\nx\r\n", b"a\r\n0123456789\r\n", b"5;a=b\r\nhello\r\n", b"1;a=\"b;\\\"\"\r\ny\r\n",
          b"2\r\n\r\n\r\n", b"05\r\nhello\r\n", b"5 \r\nhello\r\n", b"0x1\r\nx\r\n", b"5;a\nhello\r\n", b"F\r\n0123456789abcde\r\n"]
ENDS = [b"0\r\n\r\n", b"0\r\n\r\n", b"0\r\nX: y\r\n\r\n", b"00\r\n\r\n", b"0;a\r\n\r\n", b"0\r\nx-b: 1\r\nX-C:2 \r\n\r\n", b"", b"0\r\n"]


def fields(is_request):
    lines = []
    if is_request and rng.random() < 0.9:
        lines.append((b"Host", b"e.com"))
    body = rng.random()
    if body < 0.3:
        lines.append((b"Content-Length", b"5"))
    elif body < 0.6:
        lines.append((b"Transfer-Encoding", rng.choice([b"chunked", b"chunked", b"Chunked", b" chunked\t"])))
    for _ in range(rng.choice([0, 0, 1, 1, 2, 3])):
        lines.append((rng.choice(NAMES), rng.choice(VALUES)))
    rng.shuffle(lines)
    return b"".join(name + rng.choice([b": ", b": ", b": ", b":", b":\t "]) + value + b"\r\n" for name, value in lines)


def body():
    kind = rng.random()
    if kind < 0.4:
        return b"hello" + rng.choice([b"", b"GET / HTTP/1.1\r\n"])
    return b"".join(rng.choice(CHUNKS[:6] if rng.random() < 0.8 else CHUNKS) for _ in range(rng.randrange(4))) + rng.choice(ENDS)


def mutate(message):
    for _ in range(rng.choice([0, 0, 0, 1, 1, 2, 3])):
        place = rng.randrange(len(message) + 1)
        kind = rng.random()
        if kind < 0.45:
            message = message[:place] + rng.choice(ODD) + message[place:]
        elif kind < 0.75:
            message = message[:place] + rng.choice(ODD) + message[place + 1:]
        elif kind < 0.9:
            message = message[:place] + message[place + 1:]
        else:
            end = min(len(message), place + rng.randrange(20))
            message = message[:end] + message[place:end] + message[end:]
    return message


def generate():
    if rng.random() < 0.65:
        line = b" ".join([rng.choice(METHODS), rng.choice(TARGETS), rng.choice(VERSIONS)])
        return b"Q", mutate(line + b"\r\n" + fields(True) + b"\r\n" + body())
    line = b" ".join([rng.choice(VERSIONS), rng.choice(STATUSES), rng.choice([b"OK", b"", b"Not Found", b"\xfc"])])
    if rng.random() < 0.1:
        line = line.rstrip()
    return rng.choice([b"G", b"G", b"H", b"C"]), mutate(line + b"\r\n" + fields(False) + b"\r\n" + body())


def framing_of(method, event):
    kind, arguments = _body_framing(method, event)
    if kind == "content-length":
        return "length %d" % arguments[0]
    return "chunked" if kind == "chunked" else "close"


def normal(headers):
    return [(bytes(name).lower(), bytes(value)) for name, value in headers]


def read_body(connection):
    """("complete", data, trailers), ("partial", data, []) or ("refused", why, [])"""
    data = b""
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Data):
                data += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return "complete", data, normal(event.headers)
            else:
                return "partial", data, []
    except h11.RemoteProtocolError as error:
        return "refused", str(error), []


def read_h11(kind, message):
    """("read", start line and fields, body), or ("refused" or "incomplete", why)."""
    if kind == b"Q":
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
        method = None
        # RFC 9112 section 2.2 asks to skip an empty line before the request line; h11 does not.
        if message.startswith(b"\r\n"):
            message = message[2:]
    else:
        connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
        method = {b"G": b"GET", b"H": b"HEAD", b"C": b"CONNECT"}[kind]
        connection.send(h11.Request(method=method, target="/", headers=[("Host", "x"), ("Upgrade", "x"), ("Connection", "Upgrade")]))
        connection.send(h11.EndOfMessage())
    try:
        connection.receive_data(message)
        event = connection.next_event()
    except h11.RemoteProtocolError as error:
        return "refused", str(error)
    if event is h11.NEED_DATA or event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
        return "incomplete", ""
    version = event.http_version.decode()
    headers = normal(event.headers)
    if kind == b"Q":
        framing = framing_of(event.method, event)
        return "read", (bytes(event.method), bytes(event.target), version, framing, headers), read_body(connection)
    if isinstance(event, h11.InformationalResponse):
        framing = "none"
        rest = ("complete", b"", [])
    else:
        tunnel = method == b"CONNECT" and 200 <= event.status_code < 300
        framing = "none" if tunnel else framing_of(method, event)
        rest = ("complete", b"", []) if framing in ("none", "length 0") else read_body(connection)
    return "read", (b"%d" % event.status_code, bytes(event.reason), version, framing, headers), rest


def unhex(text):
    return bytes.fromhex(text)


def unlist(text):
    pairs = [pair.split("=") for pair in text.split(",")] if text else []
    return [(unhex(name).lower(), unhex(value)) for name, value in pairs]


def same_framing(ours, theirs):
    return ours == theirs or {ours, theirs} == {"none", "length 0"}


def canonical(headers):
    """h11 normalises these two while parsing."""
    result = []
    for name, value in headers:
        if name == b"transfer-encoding":
            value = value.lower()
        result.append((name, value))
    return result


def difference(kind, message, line):
    """Why what uproxy accepted is read differently by h11; None if it is not."""
    parts = line.split("\t")
    _, first, second, version, framing, names, rest, forwarded = parts
    theirs = read_h11(kind, message)
    if theirs[0] != "read":
        return "h11 says %s: %s" % theirs
    start, (status, data, trailers) = theirs[1], theirs[2]
    ours = (unhex(first) if kind == b"Q" else first.encode(), unhex(second), version)
    if ours != start[:3]:
        return "start line: %r, h11 %r" % (ours, start[:3])
    if not same_framing(framing, start[3]):
        return "framing: %s, h11 %s" % (framing, start[3])
    if canonical(unlist(names)) != canonical(start[4]):
        return "fields: %r, h11 %r" % (unlist(names), start[4])
    body_status, _, body_rest = rest.partition(" ")
    if body_status == "complete":
        our_data, _, our_trailers = body_rest.partition(" ")
        if (status, data, trailers) != ("complete", unhex(our_data), unlist(our_trailers)):
            return "body: %r, h11 %r" % (rest, (status, data, trailers))
    elif body_status == "partial" and status == "complete":
        return "body: partial, h11 complete"
    # What the other side will read once it is forwarded.
    theirs = read_h11(kind, unhex(forwarded))
    if theirs[0] != "read":
        return "forwarded %r, h11 says %s: %s" % ((unhex(forwarded),) + theirs[:2])
    if not same_framing(framing, theirs[1][3]) or ours[0] != theirs[1][0]:
        return "forwarded %r: h11 reads %r" % (unhex(forwarded), theirs[1])
    return None


def main():
    messages = [generate() for _ in range(count)]
    stream = b"".join(kind + struct.pack("<I", len(message)) + message for kind, message in messages)
    lines = subprocess.run([reader], input=stream, stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()
    assert len(lines) == len(messages), "one line for each message"
    accepted, failures = 0, 0
    for (kind, message), line in zip(messages, lines):
        if line.startswith("refused") or line == "incomplete":
            continue
        accepted += 1
        why = difference(kind, message, line)
        if why:
            failures += 1
            if failures <= 50:
                print("%s %r\n    %s" % (kind.decode(), message, why))
    print("differential: seed %d, %d messages, %d accepted, %d read differently" % (seed, count, accepted, failures))
    return 1 if failures else 0


sys.exit(main())
