#!/usr/bin/env python3
"""The client that counts handshakes against servers that resume, do not, or answer wrongly.

    PATH=$PATH:.build-benchmarks Benchmarks/Tests/handshakes.py
"""
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import listening  # noqa: E402
from bench import downstream  # noqa: E402

GOOD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + bytes(128)


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def server(context, answer=GOOD, says_its_end=True):
    """Answers one request of each connection; without a context it does so without TLS."""
    def one(connection):
        if not context:
            connection.sendall(answer)
            return
        session = context.wrap_socket(connection, server_side=True)
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            request += session.recv(4096)
        session.sendall(answer)
        if says_its_end:
            session.unwrap()

    return listening.server(one)


def handshakes(port, *words, status=0):
    done = subprocess.run(
        ["handshakes", "--port", str(port), "--connections", "4", "--seconds", "0.2", *words], capture_output=True,
        text=True, timeout=60, check=False)
    check(done.returncode == status, f"exit status {done.returncode}: {done.stdout} {done.stderr}")
    return json.loads(done.stdout) if status != 64 else None


def context_with(path, key, tickets=2):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(downstream.make_certificate(path, key))
    context.num_tickets = tickets
    return context


def kinds_are_told_apart(directory):
    giving = context_with(os.path.join(directory, "giving"), "ecdsa")
    with server(giving) as port:
        found = handshakes(port)
        check(found["full"] == found["requests"] > 4 and found["resumed"] == 0, found)
        check(found["tickets"] == 2 * found["full"] and found["latency_us"]["p50"] > 0, found)
        check(found["negotiated"] == "TLSv1.3, TLS_AES_128_GCM_SHA256, x25519, EC 256 bits", found)
    with server(giving) as port:
        found = handshakes(port, "--resume")
        check(found["full"] == 1 and found["resumed"] == found["requests"] - 1 > 4, found)
        check(found["tickets"] == found["resumed"] + 2, found)
    with server(context_with(os.path.join(directory, "stingy"), "rsa", tickets=0)) as port:
        found = handshakes(port, "--resume")
        check(found["full"] == found["requests"] > 4 and found["tickets"] == 0, found)
        check("RSA 2048 bits" in found["negotiated"], found)


def errors_are_told(directory):
    context = context_with(os.path.join(directory, "certificate"), "ecdsa")
    old = context_with(os.path.join(directory, "old"), "ecdsa")
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    cases = (
        (context, {"answer": GOOD.replace(b"200", b"503")}, "no answer with 200"),
        (context, {"answer": GOOD + b"x"}, "an answer of another length"),
        (context, {"answer": GOOD[:-1]}, "an answer of another length"),
        (context, {"answer": b""}, "no answer with 200"),
        (context, {"says_its_end": False}, "an answer was cut"),
        (old, {}, "a handshake failed"),
        (None, {}, "a handshake failed"),
    )
    for with_, how, reason in cases:
        with server(with_, **how) as port:
            found = handshakes(port, status=1)
            check(found["errors"] >= 4 and found["requests"] == 0, found)
            check(found["first_error"].startswith(reason), f"{reason}: {found}")
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    check(handshakes(port, status=1)["first_error"].startswith("a handshake failed"), "nobody listens")


def main():
    with tempfile.TemporaryDirectory() as directory:
        kinds_are_told_apart(directory)
        errors_are_told(directory)
    for words in ((), ("--port", "0"), ("--port", "80", "--connections", "0"), ("--port",), ("--port", "80", "--such", "1")):
        done = subprocess.run(["handshakes", *words], capture_output=True, check=False)
        check(done.returncode == 64, f"{words}: {done.returncode}")
    print("handshakes tells full from resumed, and errors")


main()
