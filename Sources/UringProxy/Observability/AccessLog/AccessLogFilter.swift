/// One thing that records have to be: `status>=500`, `host=*.example.com`, `stage.connect>5ms`.
struct AccessLogFilter: Sendable {
    private enum Comparison: String, CaseIterable {
        // Those of two characters first: each is looked for in this order.
        case unequal = "!="
        case atLeast = ">="
        case atMost = "<="
        case equal = "="
        case greater = ">"
        case less = "<"

        func holds<Value: Comparable>(_ a: Value, _ b: Value) -> Bool {
            switch self {
            case .unequal: a != b
            case .atLeast: a >= b
            case .atMost: a <= b
            case .equal: a == b
            case .greater: a > b
            case .less: a < b
            }
        }
    }

    private enum Condition {
        case count(AccessLogVariable.Count, Comparison, UInt64)
        /// Of a hundred statuses.
        case statusClass(AccessLogVariable.Count, UInt64)
        case span(AccessLogVariable.Span, Comparison, Int64)
        case time(Comparison, Int64)
        case id(UInt64)
        case address(AccessLogVariable.Address, AddressPrefix?)
        case text(AccessText, AccessLogPattern)
        case word(AccessLogVariable.Word, AccessLogPattern)
        case flag(AccessRecord.Flags)
        case field(isResponse: Bool, name: [UInt8], AccessLogPattern)
    }

    private let condition: Condition
    private let isNegated: Bool

    init(parsing text: String) throws(OptionSyntaxError) {
        guard let (name, comparison, value) = Self.parts(text), !name.isEmpty else {
            throw OptionSyntaxError(
                "\(quoted(text)) is no filter: write a name, a comparison and a value, such as status>=500, host=*.example.com or duration>100ms"
            )
        }
        let (variable, field) = (AccessLogVariable(name: name), AccessLogField(parsing: name))
        let isOrdered: Bool
        switch variable {
        case .count, .span, .time: isOrdered = true
        case .id, .text, .address, .word, .flags, nil: isOrdered = false
        }
        if variable == nil, field == nil {
            throw OptionSyntaxError(
                "\(quoted(text)): nothing has the name \(quoted(name)); \(AccessLogVariable.remedy(for: name))"
            )
        }
        guard isOrdered || comparison == .equal || comparison == .unequal else {
            throw OptionSyntaxError("\(quoted(text)): \(name) has no order; compare it with = or !=")
        }
        isNegated = comparison == .unequal
        // What is negated as a whole is compared for equality.
        let positive = isNegated ? .equal : comparison
        if let field {
            condition = .field(
                isResponse: field.isResponse, name: Array(field.name.utf8), AccessLogPattern(value))
            return
        }
        switch variable {
        case .count(let count): condition = try Self.count(count, positive, value, text)
        case .span(let span): condition = .span(span, positive, try Nanoseconds(parsing: value).rawValue)
        case .time(.rfc3339):
            guard let time = AccessLogTime.nanoseconds(parsing: value) else {
                throw OptionSyntaxError(
                    "\(quoted(value)) is no time: write it in UTC, such as 2026-11-30T18:30:00Z or 2026-11-30"
                )
            }
            condition = .time(positive, time)
        case .id:
            guard let id = UInt64(value, radix: 16) else {
                throw OptionSyntaxError("\(quoted(value)) is no id: write it in hexadecimal, as logs have it")
            }
            condition = .id(id)
        case .text(let kind):
            condition = .text(kind, AccessLogPattern(value, ignoresCase: kind == .host))
        case .word(let word): condition = .word(word, AccessLogPattern(value))
        case .address(let address):
            if value.isEmpty {
                condition = .address(address, nil)
                return
            }
            do throws(AddressPrefix.SyntaxError) {
                condition = .address(address, try AddressPrefix(parsing: value[...]))
            } catch {
                throw OptionSyntaxError(
                    "\(quoted(value)) is neither an address nor a block of them: write for example 10.1.2.3 or 10.0.0.0/8"
                )
            }
        case .flags:
            guard let flag = AccessRecord.Flags.named.first(where: { $0.name.description == value }) else {
                let names = AccessRecord.Flags.named.map(\.name.description)
                throw OptionSyntaxError(
                    "\(quoted(value)) is no flag: known are \(names.joined(separator: ", "))")
            }
            condition = .flag(flag.flag)
        case .time, nil:
            throw OptionSyntaxError("\(quoted(text)): compare times by the name time")
        }
    }

    private static func parts(_ text: String) -> (name: String, Comparison, value: String)? {
        guard let start = text.firstIndex(where: { "!=<>".contains($0) }) else { return nil }
        let rest = text[start...]
        guard let comparison = Comparison.allCases.first(where: { rest.hasPrefix($0.rawValue) }) else {
            return nil
        }
        return (String(text[..<start]), comparison, String(rest.dropFirst(comparison.rawValue.count)))
    }

    private static func count(
        _ count: AccessLogVariable.Count, _ comparison: Comparison, _ value: String, _ text: String
    ) throws(OptionSyntaxError) -> Condition {
        switch count {
        case .status, .upstreamStatus:
            if value.utf8.count == 3, value.lowercased().hasSuffix("xx"),
                let hundred = UInt64(value.prefix(1))
            {
                guard comparison == .equal else {
                    throw OptionSyntaxError(
                        "\(quoted(text)): compare \(value) with = or !=, or a status with a number")
                }
                return .statusClass(count, hundred)
            }
            guard let number = UInt64(value) else {
                throw OptionSyntaxError("\(quoted(value)) is no status: write for example 404 or 5xx")
            }
            return .count(count, comparison, number)
        case .requestBytes, .responseBytes: return .count(count, comparison, try ByteSize.parse(value))
        case .attempts, .weight, .worker:
            guard let number = UInt64(value) else {
                throw OptionSyntaxError("\(quoted(value)) is no whole number: write it in digits alone")
            }
            return .count(count, comparison, number)
        }
    }

    func matches(_ view: AccessRecordView) -> Bool { holds(view) != isNegated }

    private func holds(_ view: AccessRecordView) -> Bool {
        let record = view.record
        switch condition {
        case .count(let count, let comparison, let value):
            return comparison.holds(record.count(count), value)
        case .statusClass(let count, let hundred): return record.count(count) / 100 == hundred
        case .span(let span, let comparison, let value): return comparison.holds(record.span(span), value)
        case .time(let comparison, let time): return comparison.holds(record.startedAt, time)
        case .id(let id): return record.id == id
        case .address(let address, let block):
            guard let block else { return record.address(address) == .unspecified }
            return block.contains(record.address(address))
        case .text(let kind, let pattern): return pattern.matches(view[kind])
        case .word(let word, let pattern): return pattern.matches(ByteView(record.word(word)))
        case .flag(let flag): return record.flags.contains(flag)
        case .field(let isResponse, let name, let pattern):
            return unsafe name.withUnsafeBytes { name in
                var values = AccessLogFields.values(
                    view.texts, isResponse: isResponse, name: unsafe ByteView(name))
                var isThere = false
                while let value = values.next() {
                    if pattern.matches(value) { return true }
                    isThere = true
                }
                return !isThere && pattern.matches(.empty)
            }
        }
    }
}

/// A text in which `*` stands for any bytes, or none.
struct AccessLogPattern: Sendable {
    private let bytes: [UInt8]
    private let ignoresCase: Bool

    init(_ text: String, ignoresCase: Bool = false) {
        bytes = Array((ignoresCase ? text.lowercased() : text).utf8)
        self.ignoresCase = ignoresCase
    }

    /// In time that grows with the product of both sizes at most: of all stars the last one alone is ever tried anew.
    func matches(_ text: ByteView) -> Bool {
        var (index, place) = (0, 0)
        var star: (index: Int, place: Int)?
        while index < text.count {
            let byte = ignoresCase ? text[index].asciiLowercased : text[index]
            if place < bytes.count, bytes[place] == UInt8(ascii: "*") {
                star = (index, place)
                place += 1
            } else if place < bytes.count, bytes[place] == byte {
                index += 1
                place += 1
            } else if let last = star {
                star = (last.index + 1, last.place)
                index = last.index + 1
                place = last.place + 1
            } else {
                return false
            }
        }
        return bytes[place...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}

extension AccessLogTime {
    /// A time of UTC as RFC 3339 writes it, or its beginning: `2026-11-30`, `2026-11-30T18:30`, `2026-11-30T18:30:00.5Z`.
    ///
    /// - Returns: nanoseconds since 1970, or nil if it is none.
    static func nanoseconds(parsing text: String) -> Int64? {
        var bytes = Array(text.utf8)[...]
        func number(_ digits: Int, _ range: ClosedRange<Int64>, after separator: UInt8? = nil) -> Int64? {
            if let separator {
                guard bytes.first?.asciiLowercased == separator.asciiLowercased else { return nil }
                bytes = bytes.dropFirst()
            }
            let part = bytes.prefix(digits)
            guard part.count == digits, part.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
            bytes = bytes.dropFirst(digits)
            let value = part.reduce(Int64(0)) { $0 * 10 + Int64($1 - 0x30) }
            return range.contains(value) ? value : nil
        }
        guard let year = number(4, 1970...2261), let month = number(2, 1...12, after: UInt8(ascii: "-")),
            let day = number(2, 1...31, after: UInt8(ascii: "-"))
        else { return nil }
        let days = days(year, month, day)
        guard HTTPDate.civil(days) == (year, month, day) else { return nil }
        var seconds = days * 86_400
        if bytes.isEmpty { return seconds * 1_000_000_000 }
        guard let hour = number(2, 0...23, after: UInt8(ascii: "T")),
            let minute = number(2, 0...59, after: UInt8(ascii: ":"))
        else { return nil }
        seconds += hour * 3600 + minute * 60
        var fraction: Int64 = 0
        if bytes.first == UInt8(ascii: ":") {
            guard let second = number(2, 0...59, after: UInt8(ascii: ":")) else { return nil }
            seconds += second
            if bytes.first == UInt8(ascii: ".") {
                let digits = bytes.dropFirst().prefix { $0 &- 0x30 < 10 }
                guard (1...9).contains(digits.count) else { return nil }
                fraction = digits.reduce(Int64(0)) { $0 * 10 + Int64($1 - 0x30) }
                for _ in digits.count..<9 { fraction *= 10 }
                bytes = bytes.dropFirst(1 + digits.count)
            }
        }
        guard bytes.isEmpty || bytes.elementsEqual("Z".utf8) || bytes.elementsEqual("z".utf8) else {
            return nil
        }
        return seconds * 1_000_000_000 + fraction
    }

    /// Days from 1 January 1970 on; years begin in March here, so that the leap day is their last.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let yearOfEra = shifted % 400
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return shifted / 400 * 146_097 + dayOfEra - 719_468
    }
}
