/// What the built-in origin says of itself.
enum OriginText {
    static let index: StaticString = """
        The built-in origin of uproxy. N and RATE are bytes (128, 64KiB, 10MB), DURATION is 50ms, 2s, 1m.

        GET    /size/N            N bytes with Content-Length; byte i is (i * 31 + 7) mod 256
        GET    /chunked/N         the same in chunks, with a trailer X-Checksum (FNV-1a, 64 bits)
        GET    /close/N           the same, ended by closing the connection
        GET    /delay/DURATION    answers after a while; /delay/DURATION/N with N bytes
        GET    /slow/N/RATE       N bytes at RATE bytes a second
        GET    /truncate/N        announces N bytes, sends half of them and closes
        GET    /status/CODE       any status from 200 to 599; a 1xx comes before a 200
        any    /headers           the request's head, as it was received
        POST   /echo              the request's body, while it comes, framed as it came
        POST   /sink              the size of the request's body and its FNV-1a checksum (64 bits)
        POST   /drain             the size of the request's body (faster)
        POST   /trailers          the request's trailer section
        POST   /early/CODE        answers before the body is read, and closes
        any    /drop              closes without an answer
        any    /reset             resets the connection (RST)
        GET    /stats             connections accepted and ended, requests read, by all threads
        GET    /upgrade           with "Upgrade: echo" a tunnel that sends everything back

        HEAD is answered like GET, without the body. A request's body is read on every path before the
        answer comes, but for /echo, /early, /drop and /reset; "Expect: 100-continue" is granted.

        """
}
