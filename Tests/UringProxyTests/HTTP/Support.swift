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
        return writer.overflowed ? nil : writer.written.string
    }

    /// The request as it goes upstream, or "status reason".
    static func forward(
        _ bytes: [UInt8], limits: HeadLimits = limits, via: String = "",
        xForwarded: ForwardingOptions.ClientFields = .off,
        forwarded: ForwardingOptions.ClientFields = .off, peer: String = "192.0.2.1", keepUpgrade: Bool = true
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
                                via: via, xForwarded: xForwarded, forwarded: forwarded),
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

    /// Text for messages: control bytes visible.
    static func visible(_ bytes: [UInt8]) -> String {
        String(decoding: bytes, as: UTF8.self).debugDescription
    }
}
