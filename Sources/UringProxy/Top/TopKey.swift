/// A key that was pressed.
enum TopKey: Equatable, Sendable {
    case character(Character)
    case enter, escape, backspace, tab, backTab
    case up, down, left, right, pageUp, pageDown, home, end
}

/// Makes keys of what a terminal sends: characters, and the sequences of VT100 and xterm for the others.
struct TopKeyReader: Sendable {
    /// Longer sequences are no key's.
    private static let sequenceLimit = 16

    private var pending: [UInt8] = []

    /// Whether it has to be seen if more follows: a lone ESC is a key, and begins others.
    var isWaiting: Bool { !pending.isEmpty }

    mutating func read(_ bytes: [UInt8]) -> [TopKey] {
        var keys: [TopKey] = []
        for byte in bytes {
            pending.append(byte)
            if let key = take() { keys += key }
        }
        return keys
    }

    /// Nothing has followed.
    mutating func flush() -> [TopKey] {
        defer { pending = [] }
        return pending.first == 0x1B ? [.escape] : []
    }

    /// - Returns: nil: more is to come.
    private mutating func take() -> [TopKey]? {
        defer { if pending.count > Self.sequenceLimit { pending = [] } }
        let first = pending[0]
        if first != 0x1B {
            pending = []
            return Self.single(first).map { [$0] } ?? []
        }
        guard pending.count > 1 else { return nil }
        // CSI and SS3 (ECMA-48 §5.3); all else after ESC is a key of its own.
        guard pending[1] == UInt8(ascii: "[") || pending[1] == UInt8(ascii: "O") else {
            let second = pending[1]
            pending = second == 0x1B ? [second] : []
            return [.escape] + (second == 0x1B ? [] : Self.single(second).map { [$0] } ?? [])
        }
        guard pending.count > 2, let last = pending.last, (0x40...0x7E).contains(last) else { return nil }
        defer { pending = [] }
        return Self.sequence(pending[2...]).map { [$0] } ?? []
    }

    private static func single(_ byte: UInt8) -> TopKey? {
        switch byte {
        case 0x0D, 0x0A: .enter
        case 0x09: .tab
        case 0x08, 0x7F: .backspace
        // An interrupt that was not made a signal.
        case 0x03: .character("q")
        case 0x20..<0x7F: .character(Character(Unicode.Scalar(byte)))
        default: nil
        }
    }

    private static func sequence(_ bytes: ArraySlice<UInt8>) -> TopKey? {
        switch String(decoding: bytes, as: UTF8.self) {
        case "A": .up
        case "B": .down
        case "C": .right
        case "D": .left
        case "H", "1~", "7~": .home
        case "F", "4~", "8~": .end
        case "5~": .pageUp
        case "6~": .pageDown
        case "Z": .backTab
        default: nil
        }
    }
}
