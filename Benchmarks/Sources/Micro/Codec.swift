// Heads: parsed and written anew.
extension MicroBenchmark {
    nonisolated(unsafe) private static let request = text(
        """
        GET /path/to/some/resource?with=a&query=string HTTP/1.1
        Host: www.example.com
        User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0
        Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8
        Accept-Language: en-US,en;q=0.5
        Accept-Encoding: gzip, deflate, br
        Connection: keep-alive
        Cookie: session=0123456789abcdef0123456789abcdef; theme=dark
        X-Custom-Header: some value that is here


        """)
    nonisolated(unsafe) private static let absoluteRequest = text(
        """
        GET http://www.example.com:8080/size/128 HTTP/1.1
        Host: www.example.com:8080
        User-Agent: benchmark/1.0
        Accept: */*


        """)
    nonisolated(unsafe) private static let response = text(
        """
        HTTP/1.1 200 OK
        Server: nginx/1.22.1
        Date: Tue, 24 Nov 2026 10:00:00 GMT
        Content-Type: text/html; charset=utf-8
        Content-Length: 1024
        Last-Modified: Tue, 24 Nov 2026 09:00:00 GMT
        Connection: keep-alive
        ETag: "65f1a2b3-400"
        Accept-Ranges: bytes


        """)
    nonisolated(unsafe) private static let peer = text("192.0.2.1")
    nonisolated(unsafe) private static let pseudonym = text("uproxy")
    private static let limits = HeadLimits()

    static var codec: [MicroBenchmark] {
        [
            MicroBenchmark(name: "request head, 402 bytes: parse") { parse(request, $0) },
            MicroBenchmark(name: "request head, absolute form: parse") { parse(absoluteRequest, $0) },
            MicroBenchmark(name: "request head, 402 bytes: find its end") { count in
                let (bytes, limits) = (request, limits)
                var sum = 0
                for _ in 0..<count {
                    var scanner = HeadEndScanner()
                    sum &+= scanner.find(in: bytes, limits: limits) ?? 0
                }
                return sum
            },
            MicroBenchmark(name: "request head, 402 bytes: rewrite") { rewrite(ForwardingOptions(), $0) },
            MicroBenchmark(name: "request head, 402 bytes: rewrite with Via and X-Forwarded") {
                rewrite(ForwardingOptions(via: pseudonym, xForwarded: .append), $0)
            },
            MicroBenchmark(name: "response head, 262 bytes: parse") { count in
                let (bytes, limits) = (response, limits)
                var fields = FieldTable(capacity: 128)
                var head = ResponseHead()
                var sum = 0
                for _ in 0..<count {
                    _ = ResponseParser.parse(
                        bytes, requestMethod: .get, limits: limits, fields: &fields, head: &head)
                    sum &+= head.size
                }
                return sum
            },
            MicroBenchmark(name: "response head, 262 bytes: rewrite") { count in
                var fields = FieldTable(capacity: 128)
                var head = ResponseHead()
                _ = ResponseParser.parse(
                    response, requestMethod: .get, limits: limits, fields: &fields, head: &head)
                let (bytes, pseudonym) = (response, pseudonym)
                return write(count) { writer in
                    ResponseRewriter.write(
                        head: head, fields: fields, bytes: bytes, into: &writer, via: pseudonym,
                        connection: .none, framing: .asReceived, keepUpgrade: false,
                        downstreamVersion: .http11)
                }
            },
            MicroBenchmark(name: "Date: write") { count in
                write(count) { writer in
                    HTTPDate(secondsSince1970: 1_795_600_000 + Int64(writer.count)).write(to: &writer)
                }
            },
        ]
    }

    /// A view of `text`, its lines ended as HTTP ends them, for the life of the process.
    static func text(_ text: String) -> ByteView {
        var bytes = [UInt8]()
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\n") { bytes.append(UInt8(ascii: "\r")) }
            bytes.append(byte)
        }
        let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count)
        copy.initialize(from: bytes, count: bytes.count)
        return ByteView(base: copy, count: bytes.count)
    }

    private static func parse(_ bytes: ByteView, _ count: Int) -> Int {
        let limits = limits
        var fields = FieldTable(capacity: 128)
        var head = RequestHead()
        var sum = 0
        for _ in 0..<count {
            _ = RequestParser.parse(bytes, limits: limits, fields: &fields, head: &head)
            sum &+= head.size
        }
        return sum
    }

    private static func rewrite(_ options: ForwardingOptions, _ count: Int) -> Int {
        var fields = FieldTable(capacity: 128)
        var head = RequestHead()
        _ = RequestParser.parse(request, limits: limits, fields: &fields, head: &head)
        let (bytes, peer) = (request, peer)
        return write(count) { writer in
            RequestRewriter.write(
                head: head, fields: fields, bytes: bytes, into: &writer, options: options, peer: peer,
                peerIsIPv6: false, proto: "http", keepUpgrade: false)
        }
    }

    @inline(__always)
    private static func write(_ count: Int, _ body: (inout ByteWriter) -> Void) -> Int {
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: 4096)
        defer { memory.deallocate() }
        var sum = 0
        for _ in 0..<count {
            var writer = ByteWriter(base: memory, capacity: 4096)
            body(&writer)
            sum &+= writer.count &+ Int(memory[sum & 7])
        }
        return sum
    }
}
