@testable import UringProxy

/// What the HTTP tests share: bytes in, text out.
enum HTTPSupport {
    static let limits = HeadLimits()

    /// Gives `body` a view of exactly these bytes, in memory of their own so that a read past them is found by the
    /// address sanitizer.
    static func withView<Result>(_ bytes: [UInt8], _ body: (ByteView) -> Result) -> Result {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { unsafe memory.deallocate() }
        unsafe memory.copyBytes(from: bytes)
        return unsafe body(ByteView(UnsafeRawBufferPointer(memory)))
    }

    /// Runs `body` with a writer of `capacity` bytes; what it wrote, or nil if that did not fit.
    static func written(capacity: Int = 65536, _ body: (inout ByteWriter) -> Void) -> String? {
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: max(capacity, 1))
        defer { unsafe memory.deallocate() }
        var writer = unsafe ByteWriter(base: memory, capacity: capacity)
        body(&writer)
        return writer.overflowed ? nil : text(writer.written)
    }

    /// The request as it goes upstream, or "status reason".
    static func forward(
        _ bytes: [UInt8], limits: HeadLimits = limits, via: String = "",
        xForwarded: ForwardingOptions.ClientFields = .off,
        forwarded: ForwardingOptions.ClientFields = .off, closes: Bool = false, peer: String = "192.0.2.1",
        keepUpgrade: Bool = true
    ) -> String {
        withView(bytes) { view in
            var fields = FieldTable(capacity: 128)
            var head = RequestHead()
            switch RequestParser.parse(view, limits: limits, fields: &fields, head: &head) {
            case .incomplete: return "incomplete"
            case .invalid(let error): return "\(error.status) \(error)"
            case .complete: break
            }
            return withView(Array(via.utf8)) { via in
                withView(Array(peer.utf8)) { peerView in
                    written { writer in
                        RequestRewriter.write(
                            head: head, fields: fields, bytes: view, into: &writer,
                            options: ForwardingOptions(
                                via: via, xForwarded: xForwarded, forwarded: forwarded, closes: closes),
                            peer: peerView, peerIsIPv6: peer.contains(":"), proto: "http",
                            keepUpgrade: keepUpgrade)
                    } ?? "overflow"
                }
            }
        }
    }

    static func parse(_ bytes: [UInt8], limits: HeadLimits = limits) -> (ParseStatus, RequestHead) {
        withView(bytes) { view in
            var fields = FieldTable(capacity: 128)
            var head = RequestHead()
            let status = RequestParser.parse(view, limits: limits, fields: &fields, head: &head)
            return (status, head)
        }
    }

    static func parseResponse(
        _ bytes: [UInt8], to method: UringProxy.Method = .get, limits: HeadLimits = limits
    ) -> (ParseStatus, ResponseHead) {
        withView(bytes) { view in
            var fields = FieldTable(capacity: 128)
            var head = ResponseHead()
            let status = ResponseParser.parse(
                view, requestMethod: method, limits: limits, fields: &fields, head: &head)
            return (status, head)
        }
    }

    /// The response as it goes downstream, or "502 reason".
    static func forward(
        response bytes: [UInt8], to method: UringProxy.Method = .get, limits: HeadLimits = limits,
        via: String = "",
        connection: ResponseRewriter.Connection = .none, framing: ResponseRewriter.Framing = .asReceived,
        keepUpgrade: Bool = true, downstream: HTTPVersion = .http11
    ) -> String {
        withView(bytes) { view in
            var fields = FieldTable(capacity: 128)
            var head = ResponseHead()
            switch ResponseParser.parse(
                view, requestMethod: method, limits: limits, fields: &fields, head: &head)
            {
            case .incomplete: return "incomplete"
            case .invalid(let error): return "\(HeadError.responseStatus) \(error)"
            case .complete: break
            }
            return withView(Array(via.utf8)) { via in
                written { writer in
                    ResponseRewriter.write(
                        head: head, fields: fields, bytes: view, into: &writer, via: via,
                        connection: connection,
                        framing: framing, keepUpgrade: keepUpgrade, downstreamVersion: downstream)
                } ?? "overflow"
            }
        }
    }

    /// Latin-1, so that every byte has a scalar: "\u{FF}" is the byte 0xFF.
    static func bytes(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8($0.value) } }
    static func text(_ bytes: [UInt8]) -> String { withView(bytes) { text($0) } }
    static func text(_ view: ByteView) -> String {
        var text = ""
        for index in 0..<view.count { text.unicodeScalars.append(Unicode.Scalar(view[index])) }
        return text
    }

    /// What is wrong with how parser and scanner take `bytes` cut short and split at every byte; nil if nothing is.
    ///
    /// The verdict on the whole must be the verdict on every longer piece that has one, the scanner must call for the
    /// parser exactly when it has something to say, and bytes behind the head must not matter.
    static func disagreement(
        _ bytes: [UInt8], limits: HeadLimits = limits, trailers: Bool = false,
        parse: ([UInt8]) -> (status: ParseStatus, size: Int)
    ) -> String? {
        let whole = parse(bytes)
        let fresh = scan(bytes, limits, trailers)
        var dripping = HeadEndScanner(trailers: trailers)
        var dripped: Int?
        var isInvalid = false
        for size in 0...bytes.count {
            let prefix = Array(bytes[..<size])
            let verdict = parse(prefix)
            switch verdict.status {
            case .complete:
                if whole.status != .complete { return "complete at \(size), then \(whole.status)" }
                if verdict.size != whole.size { return "size \(verdict.size) at \(size), then \(whole.size)" }
                if size < whole.size { return "complete at \(size) of \(whole.size)" }
            case .incomplete:
                if isInvalid { return "incomplete at \(size) after invalid" }
                if whole.status == .complete, size >= whole.size { return "incomplete at \(size)" }
            case .invalid:
                if case .invalid = whole.status {} else { return "invalid at \(size), then \(whole.status)" }
                isInvalid = true
            }
            // Split in two.
            var scanner = HeadEndScanner(trailers: trailers)
            let first = withView(prefix) { scanner.find(in: $0, limits: limits) }
            if let first {
                if verdict.status == .incomplete {
                    return "scanner says \(first) at \(size), parser incomplete"
                }
                if verdict.status == .complete, first != verdict.size { return "scanner says \(first)" }
            } else {
                if verdict.status == .complete { return "scanner missed the end at \(size)" }
                let second = withView(bytes) { scanner.find(in: $0, limits: limits) }
                if second != fresh {
                    return "scanner says \(String(describing: second)) resumed at \(size)"
                }
            }
            // Byte by byte.
            if dripped == nil { dripped = withView(prefix) { dripping.find(in: $0, limits: limits) } }
            if (dripped == nil) != (first == nil) { return "dripping scanner differs at \(size)" }
        }
        let longer = parse(bytes + [0x00, 0x0A, 0x0D, 0xFF])
        if whole.status == .complete, longer.status != .complete || longer.size != whole.size {
            return "bytes behind the head matter: \(longer)"
        }
        return nil
    }

    private static func scan(_ bytes: [UInt8], _ limits: HeadLimits, _ trailers: Bool) -> Int? {
        var scanner = HeadEndScanner(trailers: trailers)
        return withView(bytes) { scanner.find(in: $0, limits: limits) }
    }
}
