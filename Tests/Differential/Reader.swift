import Glibc

/// Reads messages from standard input and writes what the parsers make of each, for `scripts/differential`, which
/// compiles this together with the sources.
///
/// In: kind ("Q" request, or the request's method for a response: "G", "H", "C"), size as four bytes, the bytes.
/// Out, a line each: "refused reason", "incomplete", or what was read, tab-separated, bytes in hexadecimal.
@main
struct Reader {
    static func main() {
        while let kind = read(1)?.first, let size = read(4) {
            let count = size.reversed().reduce(0) { $0 << 8 | Int($1) }
            guard let bytes = read(count) else { break }
            print(kind == UInt8(ascii: "Q") ? request(bytes) : response(bytes, to: kind))
        }
    }

    private static func read(_ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let size = bytes.withUnsafeMutableBytes {
                Glibc.read(0, $0.baseAddress! + filled, count - filled)
            }
            guard size > 0 else { return nil }
            filled += size
        }
        return bytes
    }

    private static func request(_ bytes: [UInt8]) -> String {
        bytes.withUnsafeBytes { buffer in
            let view = ByteView(buffer)
            var fields = FieldTable(capacity: 128)
            var head = RequestHead()
            switch RequestParser.parse(view, limits: HeadLimits(), fields: &fields, head: &head) {
            case .incomplete: return "incomplete"
            case .invalid(let error): return "refused \(error)"
            case .complete: break
            }
            let forwarded = written(view.count * 2 + 256) {
                RequestRewriter.write(
                    head: head, fields: fields, bytes: view, into: &$0, options: ForwardingOptions(),
                    peer: .empty,
                    peerIsIPv6: false, proto: "http", keepUpgrade: true)
            }
            let version = head.version == .http11 ? "1.1" : "1.0"
            return [
                "request", hex(view[head.methodRange]), hex(view[head.target]), version,
                "\(text(head.framing))",
                list(fields, view), body(view.dropFirst(head.size), head.framing), hex(forwarded),
            ].joined(separator: "\t")
        }
    }

    private static func response(_ bytes: [UInt8], to kind: UInt8) -> String {
        let method: Method = kind == UInt8(ascii: "H") ? .head : kind == UInt8(ascii: "C") ? .connect : .get
        return bytes.withUnsafeBytes { buffer in
            let view = ByteView(buffer)
            var fields = FieldTable(capacity: 128)
            var head = ResponseHead()
            let status = ResponseParser.parse(
                view, requestMethod: method, limits: HeadLimits(), fields: &fields, head: &head)
            switch status {
            case .incomplete: return "incomplete"
            case .invalid(let error): return "refused \(error)"
            case .complete: break
            }
            let forwarded = written(view.count * 2 + 256) {
                ResponseRewriter.write(
                    head: head, fields: fields, bytes: view, into: &$0, via: .empty, connection: .none,
                    framing: .asReceived, keepUpgrade: true, downstreamVersion: .http11)
            }
            let version = head.version == .http11 ? "1.1" : "1.0"
            return [
                "response", "\(head.status)", hex(view[head.reason]), version, text(head.framing),
                list(fields, view),
                body(view.dropFirst(head.size), head.framing), hex(forwarded),
            ].joined(separator: "\t")
        }
    }

    // MARK: Text

    private static func text(_ framing: BodyFraming) -> String {
        switch framing {
        case .none: "none"
        case .length(let length): "length \(length)"
        case .chunked: "chunked"
        case .untilClose: "close"
        }
    }

    private static func list(_ fields: borrowing FieldTable, _ view: ByteView) -> String {
        var lines: [String] = []
        for index in 0..<fields.count {
            lines.append("\(hex(view[fields[index].name]))=\(hex(view[fields[index].value]))")
        }
        return lines.joined(separator: ",")
    }

    /// "complete DATA TRAILERS", "partial DATA" or "refused": what stands behind the head, read as `framing` says.
    private static func body(_ bytes: ByteView, _ framing: BodyFraming) -> String {
        switch framing {
        case .none: return "complete  "
        case .untilClose: return "partial \(hex(bytes))"
        case .length(let length):
            return UInt64(bytes.count) >= length
                ? "complete \(hex(bytes[0..<Int(length)])) " : "partial \(hex(bytes))"
        case .chunked:
            var decoder = ChunkedDecoder()
            var data = ""
            var rest = bytes
            while true {
                switch decoder.advance(rest) {
                case .needMore: return "partial \(data)"
                case .invalid(let error): return "refused \(error)"
                case .data(let framing, let size):
                    data += hex(rest[framing..<framing + size])
                    rest = rest.dropFirst(framing + size)
                case .trailers(let consumed):
                    rest = rest.dropFirst(consumed)
                    var fields = FieldTable(capacity: 128)
                    switch TrailerParser.parse(rest, limits: HeadLimits(), fields: &fields).status {
                    case .complete: return "complete \(data) \(list(fields, rest))"
                    case .incomplete: return "partial \(data)"
                    case .invalid(let error): return "refused \(error)"
                    }
                }
            }
        }
    }

    private static func written(_ capacity: Int, _ body: (inout ByteWriter) -> Void) -> ByteView {
        // Never freed: the process is short.
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        var writer = ByteWriter(base: memory, capacity: capacity)
        body(&writer)
        return writer.written
    }

    private static func hex(_ view: ByteView) -> String {
        let digits = Array("0123456789abcdef")
        var text = ""
        for index in 0..<view.count {
            text += "\(digits[Int(view[index] >> 4)])\(digits[Int(view[index] & 15)])"
        }
        return text
    }
}
