/// Chunked bodies: in whatever pieces they come, the decoder finds the data that a plain reading of the grammar finds
/// in the whole, or refuses like it; and trailers are passed on as trailers.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzChunked(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    guard size > 1, let data else { return 0 }
    let bytes = UnsafeRawBufferPointer(start: data + 1, count: size - 1)
    let whole = decode(bytes, pieceSize: bytes.count)
    let pieces = decode(bytes, pieceSize: Int(data[0]) % 7 + 1)
    require(whole == pieces, "\(whole) in one piece, \(pieces) in many")
    let expected = read(Array(bytes))
    require(whole == expected, "\(whole), read plainly \(expected)")
    if case .finished(_, let end) = whole {
        checkTrailers(UnsafeRawBufferPointer(rebasing: bytes[end...]))
    }
    return 0
}

private enum Outcome: Equatable {
    case finished(data: [UInt8], end: Int)
    case unfinished(data: [UInt8])
    case refused
}

private func decode(_ bytes: UnsafeRawBufferPointer, pieceSize: Int) -> Outcome {
    var decoder = ChunkedDecoder()
    var data: [UInt8] = []
    var start = 0
    while start < bytes.count {
        let end = min(start + pieceSize, bytes.count)
        let step = withView(UnsafeRawBufferPointer(rebasing: bytes[start..<end])) { decoder.advance($0) }
        switch step {
        case .needMore(let consumed):
            require(consumed == end - start, "held back")
            start = end
        case .data(let framing, let size):
            require(framing >= 0 && size > 0 && start + framing + size <= end, "data leaves the piece")
            data += bytes[start + framing..<start + framing + size]
            start += framing + size
        case .trailers(let consumed): return .finished(data: data, end: start + consumed)
        case .invalid: return .refused
        }
    }
    return decoder.isFinished ? .finished(data: data, end: start) : .unfinished(data: data)
}

/// RFC 9112 §7.1, read line by line. A refusal counts from the first byte that no correct body has there.
private func read(_ bytes: [UInt8]) -> Outcome {
    var data: [UInt8] = []
    var index = 0
    var excess = 0
    while true {
        var end = index
        var isQuoted = false
        // The line, up to CR LF or the end of the bytes.
        while end < bytes.count, bytes[end] != 0x0D {
            if bytes[end] == 0x0A { return .refused }
            if bytes[end] == 0x22 { isQuoted.toggle() } else if isQuoted, bytes[end] == 0x5C { end += 1 }
            end += 1
        }
        let isWhole = end < bytes.count
        let line = Array(bytes[index..<min(end, bytes.count)])
        guard let (size, extensionSize) = readLine(line, isWhole: isWhole) else { return .refused }
        guard isWhole else { return .unfinished(data: data) }
        if extensionSize > 0 {
            excess = max(0, excess + extensionSize - 16 - 2 * min(size, 16384))
            if excess > 16384 { return .refused }
        }
        guard end + 1 < bytes.count else { return .unfinished(data: data) }
        guard bytes[end + 1] == 0x0A else { return .refused }
        index = end + 2
        if size == 0 { return .finished(data: data, end: index) }
        let available = min(size, bytes.count - index)
        data += bytes[index..<index + available]
        index += available
        for byte: UInt8 in [0x0D, 0x0A] {
            guard index < bytes.count else { return .unfinished(data: data) }
            guard bytes[index] == byte else { return .refused }
            index += 1
        }
    }
}

/// Size and length of the extensions of a chunk's line, or of its beginning; nil if no line begins so.
private func readLine(_ line: [UInt8], isWhole: Bool) -> (Int, Int)? {
    var digits = 0
    while digits < line.count, line[digits].hexValue != nil { digits += 1 }
    if digits == 0 { return line.isEmpty && !isWhole ? (0, 0) : nil }
    let number = String(decoding: line[..<digits], as: UTF8.self)
    guard digits <= 16, let size = Int(number, radix: 16) else { return nil }
    let rest = Array(line[digits...])
    guard rest.count <= 256 else { return nil }
    var index = 0
    func token() -> Bool {
        let start = index
        while index < rest.count, rest[index].isTokenByte { index += 1 }
        return index > start
    }
    while index < rest.count {
        guard rest[index] == 0x3B else { return nil }
        index += 1
        guard token() else { return index == rest.count && !isWhole ? (size, rest.count) : nil }
        guard index < rest.count, rest[index] == 0x3D else { continue }
        index += 1
        if index < rest.count, rest[index] == 0x22 {
            index += 1
            while index < rest.count, rest[index] != 0x22 {
                if rest[index] == 0x5C { index += 1 }
                if index < rest.count, rest[index] == 0x7F || rest[index] < 0x20 && rest[index] != 0x09 {
                    return nil
                }
                index += 1
            }
            guard index < rest.count else { return isWhole ? nil : (size, rest.count) }
            index += 1
        } else if !token() {
            return index == rest.count && !isWhole ? (size, rest.count) : nil
        }
    }
    return (size, rest.count)
}

private func checkTrailers(_ bytes: UnsafeRawBufferPointer) {
    var fields = FieldTable(capacity: 16)
    let limits = HeadLimits()
    let out: [UInt8]? = withView(bytes) { view in
        let (status, size) = TrailerParser.parse(view, limits: limits, fields: &fields)
        guard status == .complete else { return nil }
        require(size <= view.count, "the section leaves the bytes")
        return written(capacity: view.count * 2 + 64) {
            ResponseRewriter.trailers(fields: fields, bytes: view, into: &$0)
        }
    }
    guard let out else { return }
    withView(out) { view in
        let (status, size) = TrailerParser.parse(view, limits: limits, fields: &fields)
        require(status == .complete && size == view.count, "forwarded trailers: \(status)")
    }
}
