/// What a response's head says about its body and its connection.
struct ResponseHead: BitwiseCopyable, Equatable {
    enum Body: BitwiseCopyable, Equatable {
        case sized(Int)
        case chunked
        case untilClose
    }

    var status = 0
    var body = Body.untilClose
    var keepsAlive = true

    enum Result: Equatable {
        /// The head, and where in the bytes it ends.
        case complete(ResponseHead, end: Int)
        case incomplete
        case invalid
    }

    /// Reads the head that starts at `start`. Strict: what two readers could take for two different things is invalid.
    static func read(_ bytes: Span<UInt8>, from start: Int) -> Result {
        var head = ResponseHead()
        var length: Int?
        var isChunked = false
        guard let statusEnd = lineEnd(bytes, from: start) else { return .incomplete }
        // "HTTP/1.x 200 …", CRLF.
        guard statusEnd - start >= 14, equals(bytes, start, start + 7, "http/1."),
            bytes[statusEnd - 2] == return13,
            let minor = digit(bytes[start + 7]), minor <= 1, bytes[start + 8] == space,
            let hundreds = digit(bytes[start + 9]), let tens = digit(bytes[start + 10]),
            let ones = digit(bytes[start + 11]), bytes[start + 12] == space || start + 12 == statusEnd - 2
        else { return .invalid }
        head.status = hundreds * 100 + tens * 10 + ones
        head.keepsAlive = minor == 1

        var line = statusEnd
        while true {
            guard let end = lineEnd(bytes, from: line) else { return .incomplete }
            guard end - line >= 2, bytes[end - 2] == return13 else { return .invalid }
            if end - line == 2 {
                line = end
                break
            }
            var colon = line
            while bytes[colon] != UInt8(ascii: ":") {
                colon += 1
                if colon == end { return .invalid }
            }
            guard colon > line, bytes[colon - 1] != space else { return .invalid }
            var from = colon + 1
            var to = end - 2
            while from < to, bytes[from] == space || bytes[from] == tab { from += 1 }
            while from < to, bytes[to - 1] == space || bytes[to - 1] == tab { to -= 1 }
            switch colon - line {
            case 10 where equals(bytes, line, colon, "connection"):
                if equals(bytes, from, to, "close") { head.keepsAlive = false }
                if equals(bytes, from, to, "keep-alive") { head.keepsAlive = true }
            case 14 where equals(bytes, line, colon, "content-length"):
                guard length == nil, let value = number(bytes, from, to) else { return .invalid }
                length = value
            case 17 where equals(bytes, line, colon, "transfer-encoding"):
                guard !isChunked, minor == 1, equals(bytes, from, to, "chunked") else { return .invalid }
                isChunked = true
            default:
                break
            }
            line = end
        }
        if isChunked && length != nil { return .invalid }
        if isChunked {
            head.body = .chunked
        } else if let length {
            head.body = .sized(length)
        }
        return .complete(head, end: line)
    }

    private static var space: UInt8 { UInt8(ascii: " ") }
    private static var tab: UInt8 { UInt8(ascii: "\t") }
    private static var return13: UInt8 { UInt8(ascii: "\r") }

    /// Just after the line feed that ends the line; nil if that has not come yet.
    private static func lineEnd(_ bytes: Span<UInt8>, from start: Int) -> Int? {
        var index = start
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "\n") { return index + 1 }
            index += 1
        }
        return nil
    }

    private static func digit(_ byte: UInt8) -> Int? {
        let value = byte &- UInt8(ascii: "0")
        return value <= 9 ? Int(value) : nil
    }

    private static func number(_ bytes: Span<UInt8>, _ from: Int, _ to: Int) -> Int? {
        guard to > from, to - from <= 18 else { return nil }
        var value = 0
        for index in from..<to {
            guard let digit = digit(bytes[index]) else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    /// Whether the bytes are `text`, which is lower case, in any case.
    private static func equals(_ bytes: Span<UInt8>, _ from: Int, _ to: Int, _ text: StaticString) -> Bool {
        guard to - from == text.utf8CodeUnitCount else { return false }
        for index in 0..<to - from {
            let byte = bytes[from + index]
            let lower = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
            if unsafe lower != text.utf8Start[index] { return false }
        }
        return true
    }
}
