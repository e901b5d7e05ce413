/// A name or a value of a query as upstream will read it (WHATWG URL, application/x-www-form-urlencoded): `+` is a space,
/// and a `%` that no two hexadecimal digits follow is itself.
struct QueryText: BitwiseCopyable {
    private let encoded: ByteView

    init(_ encoded: ByteView) { self.encoded = encoded }

    /// Decoding never makes it longer.
    var maximumSize: Int { encoded.count }

    func equals(_ text: ByteView) -> Bool {
        guard let end = end(of: text) else { return false }
        return end == encoded.count
    }

    func hasPrefix(_ text: ByteView) -> Bool { end(of: text) != nil }

    /// Where `text` ends if this begins with it.
    private func end(of text: ByteView) -> Int? {
        var index = 0
        for place in 0..<text.count {
            guard index < encoded.count, next(&index) == text[place] else { return nil }
        }
        return index
    }

    /// Writes it to where there is room for `maximumSize` bytes.
    func decoded(into buffer: UnsafeMutablePointer<UInt8>, capacity: Int) -> ByteView {
        precondition(capacity >= encoded.count)
        var index = 0
        var size = 0
        while index < encoded.count {
            unsafe buffer[size] = next(&index)
            size &+= 1
        }
        return unsafe ByteView(base: UnsafePointer(buffer), count: size)
    }

    @inline(__always)
    private func next(_ index: inout Int) -> UInt8 {
        let byte = encoded[index]
        index &+= 1
        if byte == UInt8(ascii: "+") { return UInt8(ascii: " ") }
        guard byte == UInt8(ascii: "%"), index &+ 1 < encoded.count, let high = encoded[index].hexValue,
            let low = encoded[index &+ 1].hexValue
        else { return byte }
        index &+= 2
        return high << 4 | low
    }
}

/// Walks the parameters of a query, which "&" separates.
struct QueryCursor: BitwiseCopyable {
    private let query: ByteView
    private var position = 0
    /// Of the parameter that `advance` found.
    private(set) var name = QueryText(.empty)
    /// Empty if there is no "=".
    private(set) var value = QueryText(.empty)

    init(_ query: ByteView) { self.query = query }

    /// Whether there is a next one.
    mutating func advance() -> Bool {
        guard position < query.count else { return false }
        let start = position
        var equals = -1
        while position < query.count, query[position] != UInt8(ascii: "&") {
            if equals < 0, query[position] == UInt8(ascii: "=") { equals = position }
            position &+= 1
        }
        name = QueryText(query[start..<(equals < 0 ? position : equals)])
        value = equals < 0 ? QueryText(.empty) : QueryText(query[equals &+ 1..<position])
        position &+= 1
        return true
    }
}
