#if DEBUG || TESTABLE
    /// A message head as a peer reads it.
    struct Head {
        var startLine: [Substring]
        var fields: [(name: String, value: String)]

        subscript(name: String) -> String? { fields.first { $0.name == name }?.value }
        var number: Int? { self["x-id"].flatMap { Int($0) } }
        var isChunked: Bool { self["transfer-encoding"]?.lowercased() == "chunked" }
        var length: Int? { self["content-length"].flatMap { Int($0) } }
        func lists(_ name: String, _ word: String) -> Bool {
            fields.contains { $0.name == name && $0.value.lowercased().contains(word) }
        }
    }

    /// Reads HTTP/1 for the peers: plainly, and apart from the engine's own parsers.
    struct MessageReader {
        enum Framing: Equatable {
            case none
            case length(Int)
            case chunked, untilClose, tunnel
        }

        enum Event {
            case head(Head)
            /// Bytes of the body, `buffer[range]`.
            case body(Range<Int>)
            case trailer(name: String, value: String)
            case end
            case invalid(String)
        }

        private enum State {
            case head, length, chunkSize, chunkData, chunkEnd, trailers, untilClose, tunnel, ended, broken
        }

        private var state = State.head
        private(set) var buffer: [UInt8] = []
        private var start = 0
        private var left = 0
        private var scanned = 0

        mutating func feed(_ bytes: UnsafeRawBufferPointer) {
            if start == buffer.count {
                buffer.removeAll(keepingCapacity: true)
                start = 0
            } else if start > 65_536 {
                buffer.removeFirst(start)
                start = 0
            }
            unsafe buffer.append(contentsOf: bytes)
        }

        /// Nothing of a message has come.
        var isBetweenMessages: Bool { state == .head && start == buffer.count }
        var isUntilClose: Bool { state == .untilClose }
        var isTunnel: Bool { state == .tunnel }
        var unread: Int { buffer.count - start }

        /// After a head: how its body is framed. The next event is the body's, or its end.
        mutating func begin(_ framing: Framing) {
            switch framing {
            case .none: state = .ended
            case .length(let size):
                left = size
                state = size == 0 ? .ended : .length
            case .chunked: state = .chunkSize
            case .untilClose: state = .untilClose
            case .tunnel: state = .tunnel
            }
        }

        private mutating func invalid(_ text: String) -> Event {
            state = .broken
            return .invalid(text)
        }

        mutating func next() -> Event? {
            while true {
                switch state {
                case .broken: return nil
                case .ended:
                    state = .head
                    scanned = 0
                    return .end
                case .head:
                    guard let size = headSize() else { return nil }
                    let lines = lines(start..<start + size)
                    start += size
                    scanned = 0
                    guard let first = lines.first else { return invalid("empty head") }
                    guard let fields = parseFields(lines.dropFirst()) else {
                        return invalid("bad field in \(lines)")
                    }
                    return .head(
                        Head(
                            startLine: first.split(
                                separator: " ", maxSplits: 2, omittingEmptySubsequences: false),
                            fields: fields))
                case .length, .chunkData:
                    guard start < buffer.count else { return nil }
                    let size = min(left, buffer.count - start)
                    left -= size
                    start += size
                    if left == 0 { state = state == .length ? .ended : .chunkEnd }
                    return .body(start - size..<start)
                case .untilClose, .tunnel:
                    guard start < buffer.count else { return nil }
                    defer { start = buffer.count }
                    return .body(start..<buffer.count)
                case .chunkSize:
                    guard let line = takeLine() else { return nil }
                    let digits = line.prefix { $0 != ";" && $0 != " " }
                    guard let size = Int(digits, radix: 16), !digits.isEmpty else {
                        return invalid("chunk size '\(line)'")
                    }
                    left = size
                    state = size == 0 ? .trailers : .chunkData
                case .chunkEnd:
                    guard let line = takeLine() else { return nil }
                    guard line.isEmpty else { return invalid("chunk not ended by a line end") }
                    state = .chunkSize
                case .trailers:
                    guard let line = takeLine() else { return nil }
                    if line.isEmpty {
                        state = .ended
                    } else {
                        guard let fields = parseFields([line]) else { return invalid("trailer '\(line)'") }
                        return .trailer(name: fields[0].name, value: fields[0].value)
                    }
                }
            }
        }

        private mutating func headSize() -> Int? {
            var index = max(start + 3, start + scanned)
            while index < buffer.count {
                if buffer[index] == 10 && buffer[index - 1] == 13 && buffer[index - 2] == 10
                    && buffer[index - 3] == 13
                {
                    return index + 1 - start
                }
                index += 1
            }
            scanned = max(0, buffer.count - start)
            return nil
        }

        private func lines(_ range: Range<Int>) -> [String] {
            var result: [String] = []
            var from = range.lowerBound
            var index = from
            while index + 1 < range.upperBound {
                if buffer[index] == 13 && buffer[index + 1] == 10 {
                    if index == from { break }
                    result.append(String(decoding: buffer[from..<index], as: UTF8.self))
                    index += 2
                    from = index
                } else {
                    index += 1
                }
            }
            return result
        }

        private mutating func takeLine() -> String? {
            var index = start
            while index + 1 < buffer.count {
                if buffer[index] == 13 && buffer[index + 1] == 10 {
                    defer { start = index + 2 }
                    return String(decoding: buffer[start..<index], as: UTF8.self)
                }
                index += 1
            }
            return nil
        }

        private func parseFields(_ lines: some Sequence<String>) -> [(name: String, value: String)]? {
            var fields: [(name: String, value: String)] = []
            for line in lines {
                guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")), colon != line.startIndex else {
                    return nil
                }
                var value = line[line.index(after: colon)...]
                while value.first == " " { value.removeFirst() }
                fields.append((line[..<colon].lowercased(), String(value)))
            }
            return fields
        }
    }
#endif
