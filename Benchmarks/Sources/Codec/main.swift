import Glibc

@testable import UringProxy

// What a request and a response cost the HTTP/1 codec, in nanoseconds: the best of 30 rounds. `scripts/bench codec`.

let request = Array(
    """
    GET /path/to/some/resource?with=a&query=string HTTP/1.1\r
    Host: www.example.com\r
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0\r
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r
    Accept-Language: en-US,en;q=0.5\r
    Accept-Encoding: gzip, deflate, br\r
    Connection: keep-alive\r
    Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r
    X-Custom-Header: some value that is here\r
    \r\n
    """.utf8)
let response = Array(
    """
    HTTP/1.1 200 OK\r
    Server: nginx/1.22.1\r
    Date: Tue, 24 Nov 2026 10:00:00 GMT\r
    Content-Type: text/html; charset=utf-8\r
    Content-Length: 1024\r
    Last-Modified: Tue, 24 Nov 2026 09:00:00 GMT\r
    Connection: keep-alive\r
    ETag: "65f1a2b3-400"\r
    Accept-Ranges: bytes\r
    \r\n
    """.utf8)
let address = Array("192.0.2.1".utf8)
let limits = HeadLimits()

func nanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

@inline(never)
func measure(_ name: String, _ body: () -> Int) {
    let count = 100_000
    var best = UInt64.max
    var sum = 0
    for _ in 0..<30 {
        let start = nanoseconds()
        for _ in 0..<count { sum &+= body() }
        best = min(best, nanoseconds() - start)
    }
    // The sum is used, so that no call is optimised away.
    print("\(name): \(Double(best / UInt64(count / 10)) / 10) ns", sum == 0 ? "(nothing done)" : "")
}

func run(
    _ bytes: UnsafeRawBufferPointer, _ body: (ByteView, inout FieldTable, UnsafeMutablePointer<UInt8>) -> Void
) {
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: 4096)
    defer { memory.deallocate() }
    var fields = FieldTable(capacity: 128)
    body(ByteView(bytes), &fields, memory)
}

address.withUnsafeBytes { address in
    let peer = ByteView(address)
    request.withUnsafeBytes {
        run($0) { view, fields, memory in
            var head = RequestHead()
            measure("request head, \(view.count) bytes: parse") {
                _ = RequestParser.parse(view, limits: limits, fields: &fields, head: &head)
                return head.size
            }
            measure("request head: scan for its end") {
                var scanner = HeadEndScanner()
                return scanner.find(in: view, limits: limits) ?? 0
            }
            for (name, options) in [
                ("", ForwardingOptions()),
                (" with Via, X-Forwarded", ForwardingOptions(via: peer, xForwarded: .append)),
            ] {
                measure("request head: rewrite\(name)") {
                    var writer = ByteWriter(base: memory, capacity: 4096)
                    RequestRewriter.write(
                        head: head, fields: fields, bytes: view, into: &writer, options: options, peer: peer,
                        peerIsIPv6: false, proto: "http", keepUpgrade: false)
                    return writer.count
                }
            }
        }
    }
}
response.withUnsafeBytes {
    run($0) { view, fields, memory in
        var head = ResponseHead()
        measure("response head, \(view.count) bytes: parse") {
            _ = ResponseParser.parse(view, requestMethod: .get, limits: limits, fields: &fields, head: &head)
            return head.size
        }
        measure("response head: rewrite") {
            var writer = ByteWriter(base: memory, capacity: 4096)
            ResponseRewriter.write(
                head: head, fields: fields, bytes: view, into: &writer, via: .empty, connection: .none,
                framing: .asReceived, keepUpgrade: false, downstreamVersion: .http11)
            return writer.count
        }
    }
}
