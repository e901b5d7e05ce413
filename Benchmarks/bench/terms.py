"""Equal terms, or no figure: what has to be true of a scenario for its figures to mean anything."""
import http.client
import re
import socket
import ssl
import subprocess


class Void(Exception):
    """A scenario that has no figures, and why."""


FOREIGN = 0.10
"""CPUs that other programs may use beside a measurement before it is called disturbed. It is not void then: CPU per
request of interleaved rounds still compares, times do not."""


def fetch(bed, proxy, path, body=None):
    """One request through a proxy, as its mode wants it: status and body."""
    if bed.downstream.http2:
        return fetch_by_http2(bed, proxy, path, body)
    connection = http.client.HTTPConnection("127.0.0.1", proxy.place.port, timeout=20)
    if bed.downstream.has_tls:
        connection = http.client.HTTPSConnection(
            "127.0.0.1", proxy.place.port, timeout=20, context=ssl.create_default_context(cafile=bed.certificate))
    origin = f"127.0.0.1:{bed.origin_port}"
    target = path
    if bed.mode == "absolute":
        target = f"http://{origin}{path}"
    try:
        if bed.mode == "connect":
            connection.sock = tunnel(proxy, origin)
        connection.request("POST" if body is not None else "GET", target, body=body, headers={"Host": origin})
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException) as error:
        raise Void(f"{proxy.name} does not answer: {error!r}") from error
    finally:
        connection.close()


def fetch_by_http2(bed, proxy, path, body):
    """The same by curl: Python has no HTTP/2."""
    how = ["--http2", "--cacert", bed.certificate] if bed.downstream.has_tls else ["--http2-prior-knowledge"]
    what = [] if body is None else ["--data-binary", "@-"]
    try:
        done = subprocess.run(
            ["curl", "-sS", "--noproxy", "*", "--max-time", "20", *how, *what, "--write-out",
             "%{stderr}%{http_version} %{response_code}", f"{bed.downstream.scheme}://{proxy.address}{path}"],
            input=body, capture_output=True, check=False)
    except OSError as error:
        raise Void(f"curl does not run: {error}") from error
    found = re.fullmatch(r"2 (\d+)", done.stderr.decode(errors="replace"))
    if not found:
        raise Void(f"{proxy.name} does not speak HTTP/2: {done.stderr[-200:]!r}")
    return int(found[1]), done.stdout


def agreed(bed, proxy):
    """What a handshake agrees on, whose certificate is checked."""
    context = ssl.create_default_context(cafile=bed.certificate)
    protocol = "h2" if bed.downstream.http2 else "http/1.1"
    context.set_alpn_protocols([protocol])
    try:
        with socket.create_connection(("127.0.0.1", proxy.place.port), timeout=20) as connection:
            with context.wrap_socket(connection, server_hostname="127.0.0.1") as session:
                chosen = session.selected_alpn_protocol()
                # Without an answer to ALPN it is HTTP/1.1.
                if (chosen or "http/1.1") != protocol:
                    raise Void(f"{proxy.name} speaks {chosen} instead of {protocol}")
                return f"{session.version()}, {session.cipher()[0]}, {protocol}"
    except OSError as error:
        raise Void(f"{proxy.name} does not shake hands: {error!r}") from error


def tunnel(proxy, origin):
    """A socket through CONNECT. In HTTP/1.1: http.client asked in 1.0 until Python 3.12, which Envoy refuses."""
    connection = socket.create_connection(("127.0.0.1", proxy.place.port), timeout=20)
    connection.sendall(f"CONNECT {origin} HTTP/1.1\r\nHost: {origin}\r\n\r\n".encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            break
        head += byte
    if not re.match(rb"HTTP/1\.[01] 200 ", head):
        raise Void(f"{proxy.name} does not open a tunnel: {head[:60]!r}")
    return connection


def probe(bed, proxy):
    """The proxy passes on, byte for byte, what origin and client send, and speaks what is asked."""
    if bed.downstream.has_tls:
        proxy.negotiated = agreed(bed, proxy)
    if proxy.contender.answers_itself:
        return
    size = 100_000
    before = bed.origin_stats()["accepted"]
    expected = bytes((i * 31 + 7) % 256 for i in range(size))
    if fetch(bed, proxy, f"/size/{size}") != (200, expected):
        raise Void(f"{proxy.name} does not pass on what the origin sends")
    if fetch(bed, proxy, "/drain", expected) != (200, f"{size}\n".encode()):
        raise Void(f"{proxy.name} does not pass on what the client sends")
    # Less our own second report.
    proxy.opened_by_probe = bed.origin_stats()["accepted"] - before - 1


def check(proxy, work, sample, written):
    """One window of load went as the others': no errors, whole bodies, upstream connections reused, one worker, no
    logs, and handshakes of the kind that is measured."""
    name = proxy.name
    if sample["requests"] == 0:
        raise Void(f"{name} answered nothing")
    if sample["errors"]:
        raise Void(f"{name} failed {sample['errors']} of {sample['requests']} requests ({sample['error_detail']})")
    received = sample.get("bytes_in")
    if received is not None and not work.body_up:
        # Of an open loop bytes are counted in the window alone, and a proxy that falls behind answers some later.
        each = received / max(1, sample.get("in_window", sample["requests"]))
        # Heads are a few hundred bytes; what is under way when the window ends may add some of the next answers.
        most = (work.size + 2048) * (1 + 2 * work.under_way / sample["requests"])
        if not work.size <= each <= most:
            raise Void(f"answers of {name} have {each:.0f} bytes instead of {work.size}")
    if proxy.written_bytes() > written:
        raise Void(f"{name} writes a log: {proxy.last_words()}")
    if sample["cpu"] > 0.2 and sample["busy_threads"] > proxy.place.workers:
        raise Void(f"{name} works with {sample['busy_threads']} threads instead of {proxy.place.workers}")
    check_handshakes(name, work, sample)
    if proxy.contender.answers_itself:
        return
    if sample["origin_requests"] < sample["requests"]:
        raise Void(f"the origin saw {sample['origin_requests']} of the {sample['requests']} requests of {name}")
    if work.keeps_upstream:
        # One for each that is under way, some that raced, and 3 in 100 for a pool that loses a few.
        allowed = 2 * work.under_way + 8 + 0.03 * sample["requests"]
        if sample["accepted"] > allowed:
            raise Void(f"{name} opened {sample['accepted']} upstream connections for {sample['requests']} requests, "
                       "so it does not keep them alive as the others do")


def check_handshakes(name, work, sample):
    """All in full; or all but the first one taken up again. The client knows, and uproxy counts them as well."""
    if "resumed" not in sample:
        return
    wrong, kind = (sample["full"] - 1, "in full") if work.resumes else (sample["resumed"], "resumed")
    if wrong > 0:
        raise Void(f"{wrong} of {sample['full'] + sample['resumed']} handshakes of {name} were {kind}")
    seen = sample.get("counted_handshakes")
    if seen is not None and seen != [sample["full"] + sample["resumed"], sample["resumed"]]:
        raise Void(f"{name} counted {seen[0]} handshakes, {seen[1]} of them resumed, and the client "
                   f"{sample['full'] + sample['resumed']} and {sample['resumed']}")


def check_equal(rows):
    """All have agreed on the same with their clients; returns what that is."""
    found = {sample["negotiated"]: row["name"] for row in rows for sample in row["samples"] if sample["negotiated"]}
    if len(found) > 1:
        raise Void("what is agreed on with clients differs: " + "; ".join(f"{name}: {what}" for what, name in found.items()))
    return next(iter(found), None)


def is_disturbed(sample):
    return sample["foreign"] > FOREIGN or sample["stolen"] > FOREIGN
