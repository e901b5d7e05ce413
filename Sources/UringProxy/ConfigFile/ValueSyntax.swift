/// How one kind of value is written in a configuration file: the same syntax as on the command line.
struct ValueSyntax<Value: Sendable>: Sendable {
    /// With an article: "a duration".
    let kind: String
    /// What `read` takes, as a JSON Schema without its braces. A reference to the environment may stand everywhere.
    let schema: String
    let read: @Sendable (String) throws(OptionSyntaxError) -> Value
    let write: @Sendable (Value) -> String
}

extension ValueSyntax {
    /// A JSON Schema of text that has the form of `pattern`, or refers to the environment.
    fileprivate static func textSchema(_ pattern: String) -> String {
        "\"type\": \"string\", \"pattern\": \(jsonString("^(\(pattern))$|\\$\\{"))"
    }

    fileprivate static func numberSchema(_ range: ClosedRange<Int>, or words: [String] = []) -> String {
        let most = range.upperBound == .max ? "" : ", \"maximum\": \(range.upperBound)"
        let text = (words + ["\\$\\{"]).joined(separator: "|")
        return "\"anyOf\": [{\"type\": \"integer\", \"minimum\": \(range.lowerBound)\(most)}, "
            + "{\"type\": \"string\", \"pattern\": \(jsonString(text))}]"
    }

    /// The same, with a word for "none of it is set".
    func optional(_ word: String) -> ValueSyntax<Value?> {
        let schemas = "{\(schema)}, {\"const\": \(jsonString(word))}"
        return ValueSyntax<Value?>(
            kind: "\(kind), or '\(word)'", schema: "\"anyOf\": [\(schemas)]",
            read: { text throws(OptionSyntaxError) in text == word ? nil : try read(text) },
            write: { $0.map(write) ?? word })
    }

    /// The same written value for another type of number.
    func converted<Other: Sendable>(
        _ to: @escaping @Sendable (Value) -> Other, _ from: @escaping @Sendable (Other) -> Value
    ) -> ValueSyntax<Other> {
        ValueSyntax<Other>(
            kind: kind, schema: schema, read: { text throws(OptionSyntaxError) in to(try read(text)) },
            write: { write(from($0)) })
    }
}

extension ValueSyntax where Value == Nanoseconds {
    static var duration: Self {
        Self(
            kind: "a duration, such as 30s, 500ms or 2m",
            schema: "\"anyOf\": [{\"const\": 0}, {\(textSchema("0|[0-9]+(ns|us|µs|ms|s|m|h|d)"))}]",
            read: { text throws(OptionSyntaxError) in try Nanoseconds(parsing: text) },
            write: { "\($0)" })
    }
}

extension ValueSyntax where Value == UInt64 {
    static var size: Self {
        let units = textSchema("[0-9]+([Bb]|[KkMmGgTt][Ii]?[Bb])?")
        return Self(
            kind: "a size, such as 512, 32KiB or 10MB",
            schema: "\"anyOf\": [{\"type\": \"integer\", \"minimum\": 0}, {\(units)}]",
            read: { text throws(OptionSyntaxError) in try ByteSize.parse(text) },
            write: { ByteSize.describe($0) })
    }
}

extension ValueSyntax where Value == Int {
    /// A share of a hundred.
    static var percent: Self {
        Self(
            kind: "a share, such as 20%", schema: "\"anyOf\": [{\"const\": 0}, {\(textSchema("[0-9]+%|0"))}]",
            read: { text throws(OptionSyntaxError) in try Percent.parse(text) }, write: { "\($0)%" })
    }

    /// A whole number; what it may be is checked with all else, so that the remedy fits.
    static func count(_ range: ClosedRange<Int> = 0...Int.max) -> Self {
        Self(
            kind: "a whole number", schema: numberSchema(range),
            read: { text throws(OptionSyntaxError) in
                guard let number = Int(text) else {
                    throw OptionSyntaxError("\(quoted(text)) is no whole number: write it in digits alone")
                }
                return number
            }, write: { "\($0)" })
    }
}

extension ValueSyntax where Value == Int {
    /// A count that may be large: `100k`, `2M`.
    static func entries(_ range: ClosedRange<Int>) -> Self {
        Self(
            kind: "a count, such as 100000, 100k or 2M",
            schema: numberSchema(range, or: ["^[0-9]+[kM]$"]),
            read: { text throws(OptionSyntaxError) in
                let (number, unit) = try splitNumber(text, kind: "count", examples: "100000, 100k or 2M")
                let factors: [String: UInt64] = ["": 1, "k": 1000, "M": 1_000_000]
                guard let factor = factors[unit] else {
                    throw OptionSyntaxError("\(quoted(unit)) is not a unit of counts: use k or M")
                }
                let (product, overflow) = number.multipliedReportingOverflow(by: factor)
                return overflow ? .max : Int(clamping: product)
            }, write: { "\($0)" })
    }
}

extension ValueSyntax where Value == RequestRate {
    static var requestRate: Self {
        Self(
            kind: "a rate, such as 100/s or 30/m", schema: textSchema("[0-9]+/[smhd]"),
            read: { text throws(OptionSyntaxError) in try RequestRate(parsing: text) }, write: { "\($0)" })
    }
}

extension ValueSyntax where Value == RateLimitKey {
    static var rateLimitKey: Self {
        Self(
            kind: "a key: address, prefix, prefix:24/64, header:NAME, route or all",
            schema: textSchema("address|prefix(:[0-9]+/[0-9]+)?|header:.+|route|all"),
            read: { text throws(OptionSyntaxError) in try RateLimitKey(parsing: text) }, write: { "\($0)" })
    }
}

extension ValueSyntax where Value == Bool {
    static var toggle: Self {
        Self(
            kind: "on or off",
            schema: "\"anyOf\": [{\"type\": \"boolean\"}, {\(textSchema("on|off"))}]",
            read: { text throws(OptionSyntaxError) in
                switch text {
                case "on", "true": return true
                case "off", "false": return false
                default: throw OptionSyntaxError("\(quoted(text)) is neither on nor off: write one of them")
                }
            }, write: { $0 ? "on" : "off" })
    }
}

extension ValueSyntax where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of a few words.
    static var choice: Self {
        let words = Value.allCases.map(\.rawValue)
        let list = words.dropLast().joined(separator: ", ") + " or " + words.last!
        // YAML's own words for truth are what an editor makes of "on" and "off".
        let truths = words.contains("off") ? ", {\"type\": \"boolean\"}" : ""
        return Self(
            kind: list,
            schema: "\"anyOf\": [{\(textSchema(words.joined(separator: "|")))}\(truths)]",
            read: { text throws(OptionSyntaxError) in
                if let value = Value(rawValue: text) { return value }
                let near = NearestName.of(text, among: words).map { "did you mean '\($0)'? " } ?? ""
                throw OptionSyntaxError("\(quoted(text)) is no choice here: \(near)write \(list)")
            }, write: { $0.rawValue })
    }
}

extension ValueSyntax where Value == HashKey {
    static var hashKey: Self {
        Self(
            kind: "a key: uri, source, header:NAME or cookie:NAME",
            schema: textSchema("uri|source|(header|cookie):.+"),
            read: { text throws(OptionSyntaxError) in try HashKey(parsing: text) }, write: { "\($0)" })
    }
}

extension ValueSyntax where Value == StatusRange {
    static var statuses: Self {
        Self(
            kind: "statuses, such as 200 or 200-399",
            schema: "\"anyOf\": [{\"type\": \"integer\"}, {\(textSchema("[2-5][0-9]{2}(-[2-5][0-9]{2})?"))}]",
            read: { text throws(OptionSyntaxError) in try StatusRange(parsing: text) }, write: { "\($0)" })
    }
}

extension ValueSyntax where Value == MinimumRate {
    static var rate: Self {
        Self(
            kind: "a rate, such as 240:10s (bytes a second, after a time of grace)",
            schema: "\"anyOf\": [{\"const\": 0}, {\(textSchema("[0-9]+[A-Za-z]*(/s)?(:[0-9]+[a-zµ]+)?"))}]",
            read: { text throws(OptionSyntaxError) in try MinimumRate(parsing: text) }, write: { "\($0)" })
    }
}

extension ValueSyntax where Value == String {
    /// Any text but none.
    static func text(_ kind: String, pattern: String = ".+") -> Self {
        Self(
            kind: kind, schema: textSchema(pattern),
            read: { text throws(OptionSyntaxError) in
                guard !text.isEmpty else { throw OptionSyntaxError("there is nothing: write \(kind)") }
                return text
            }, write: { $0 })
    }

    /// A number, AS and a number, or either behind a `!`; what it may be is checked with all else.
    static var autonomousSystem: Self {
        let kind = "the number of an autonomous system, such as 64512 or AS64512"
        return Self(
            kind: kind, schema: numberSchema(1...Int(UInt32.max), or: ["^!?([Aa][Ss])?[0-9]+$"]),
            read: text(kind).read, write: { $0 })
    }

    /// Any text, none as well.
    static var anyText: Self {
        Self(
            kind: "a text", schema: "\"type\": \"string\"", read: { text throws(OptionSyntaxError) in text },
            write: { $0 })
    }

    static var zone: Self {
        Self(
            kind: "the name of a zone, such as eu-central-1a", schema: textSchema("[A-Za-z0-9._-]{1,64}"),
            read: { text throws(OptionSyntaxError) in try UpstreamText.zone(text) }, write: { $0 })
    }

    /// Where to listen.
    static var listenAddress: Self {
        Self(
            kind: "an address to listen on, such as 127.0.0.1:8081 or unix:/run/uproxy.sock",
            schema: textSchema("(unix|fd):.+|.*:[0-9]+"),
            read: { text throws(OptionSyntaxError) in
                try AddressText(parsing: text).checkListenable(text)
                return text
            }, write: { $0 })
    }

    /// Where to connect to.
    static var endpointAddress: Self {
        Self(
            kind: "an endpoint, such as 10.0.0.5:9000, app.internal:9000 or unix:/run/app.sock",
            schema: textSchema("(unix:.+|.+:[0-9]+)(,(weight=[0-9]+|zone=[A-Za-z0-9._-]+|priority=[0-9]+))*"),
            read: { text throws(OptionSyntaxError) in
                let address = try UpstreamText(parsing: text).address
                try AddressText(parsing: address).checkConnectable(address)
                return text
            }, write: { $0 })
    }
}
