/// Walks through a command line: `--name value` or `--name=value`.
struct ArgumentReader {
    private var rest: ArraySlice<String>
    private var option = ""
    /// What stood behind `=`.
    private var attached: String?

    init(_ arguments: [String]) { rest = arguments[...] }

    mutating func nextWord() -> String? { rest.popFirst() }

    /// The next option's name; nil at the end.
    mutating func nextOption() throws(UsageError) -> String? {
        if let attached { throw UsageError("\(option) takes no value, and not '\(attached)'") }
        guard let word = rest.popFirst() else { return nil }
        guard word.hasPrefix("--") else { throw UsageError("unexpected '\(word)'") }
        if let equals = word.firstIndex(of: "=") {
            option = String(word[..<equals])
            attached = String(word[word.index(after: equals)...])
        } else {
            option = word
        }
        return option
    }

    mutating func value() throws(UsageError) -> String {
        if let value = attached {
            attached = nil
            return value
        }
        guard let value = rest.popFirst() else { throw UsageError("\(option) needs a value") }
        return value
    }

    mutating func hostPort() throws(UsageError) -> HostPort {
        let text = try value()
        guard let result = HostPort(text) else { throw UsageError("\(option) is HOST:PORT, not '\(text)'") }
        return result
    }

    /// A whole number above 0.
    mutating func count() throws(UsageError) -> Int {
        let text = try value()
        guard let result = Int(text), result > 0 else {
            throw UsageError("\(option) is a number above 0, not '\(text)'")
        }
        return result
    }

    mutating func number() throws(UsageError) -> Double {
        let text = try value()
        guard let result = Double(text), result.isFinite, result >= 0, result <= 1e9 else {
            throw UsageError("\(option) is a number, not '\(text)'")
        }
        return result
    }

    /// Bytes: a whole number, in K, M or G (binary) if one of these follows.
    mutating func size() throws(UsageError) -> Int {
        let text = try value()
        let shift = ["K": 10, "M": 20, "G": 30][text.suffix(1)] ?? 0
        guard let number = Int(shift == 0 ? text[...] : text.dropLast()), number >= 0, number <= 1 << 30
        else {
            throw UsageError("\(option) is a size like 128, 64K or 1G, not '\(text)'")
        }
        return number << shift
    }

    /// A time in seconds, or with a unit: `1.5`, `2s`, `200ms`.
    mutating func seconds() throws(UsageError) -> Double {
        let text = try value()
        let (digits, unit) =
            text.hasSuffix("ms")
            ? (text.dropLast(2), 0.001) : text.hasSuffix("s") ? (text.dropLast(), 1) : (text[...], 1)
        guard let number = Double(digits), number.isFinite, number >= 0, number * unit <= 86_400 else {
            throw UsageError("\(option) is a time like 1.5, 2s or 200ms, not '\(text)'")
        }
        return number * unit
    }
}
