#!/usr/bin/env python3
"""Proves that a warm proxy allocates nothing: counts the allocator's calls (count.c, preloaded) over thousands of requests
and a few large bodies, on both drivers. Usage: allocations.py UPROXY COUNT_LIBRARY"""
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

binary, library = sys.argv[1:]
failed = False


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def connect(port):
    end = time.monotonic() + 10
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise


def exchange(connection, request, size):
    connection.sendall(request)
    got = b""
    while b"\r\n\r\n" not in got:
        got += connection.recv(65536)
    head, _, body = got.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    left = size - len(body)
    while left > 0:
        left -= len(connection.recv(1 << 20))
    assert left == 0


def get(path):
    return f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode()


upload = b"POST /drain HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1000000


def work(port, rounds):
    connections = [connect(port) for _ in range(8)]
    for _ in range(rounds):
        for connection in connections:
            exchange(connection, get("/size/128"), 128)
    for connection in connections[:2]:
        exchange(connection, get("/size/4000000"), 4000000)
        exchange(connection, upload, len("1000000\n"))
    # New connections as well: a slot is no allocation.
    for _ in range(50):
        with connect(port) as connection:
            exchange(connection, get("/size/128"), 128)
    for connection in connections:
        connection.close()


with tempfile.TemporaryDirectory() as directory:
    origin_port = free_port()
    origin = subprocess.Popen([binary, "origin", "--listen", f"127.0.0.1:{origin_port}", "--threads", "1"],
                              stderr=subprocess.DEVNULL)
    connect(origin_port).close()
    for io in ("uring", "epoll"):
        counts = os.path.join(directory, io)
        port = free_port()
        proxy = subprocess.Popen(
            [binary, "--listen", f"127.0.0.1:{port}", "--upstream", f"127.0.0.1:{origin_port}", "--threads", "2",
             "--io", io],
            env={**os.environ, "LD_PRELOAD": library, "ALLOCATION_COUNT_FILE": counts}, stderr=subprocess.PIPE)
        try:
            connect(port).close()

            def count():
                with open(counts, "rb") as f:
                    return struct.unpack("Q", f.read(8))[0]

            assert count() > 0, "the counter does not count"
            work(port, 200)
            before = count()
            work(port, 1000)
            allocations = count() - before
            print(f"{io}: {allocations} allocations in 8000 exchanges on a warm proxy")
            failed |= allocations != 0
        finally:
            proxy.send_signal(signal.SIGTERM)
            proxy.wait(10)
    origin.send_signal(signal.SIGTERM)
    origin.wait(10)
sys.exit(1 if failed else 0)
