/// A span of time. 0 switches off whatever timeout holds it.
public struct Nanoseconds: Sendable, Hashable, Comparable, BitwiseCopyable {
    public let rawValue: Int64

    public init(_ rawValue: Int64) { self.rawValue = rawValue }

    public static let zero = Nanoseconds(0)
    public static func milliseconds(_ count: Int64) -> Nanoseconds { Nanoseconds(count * 1_000_000) }
    public static func seconds(_ count: Int64) -> Nanoseconds { Nanoseconds(count * 1_000_000_000) }
    public static func minutes(_ count: Int64) -> Nanoseconds { seconds(count * 60) }
    public static func hours(_ count: Int64) -> Nanoseconds { seconds(count * 3600) }

    public static func < (a: Nanoseconds, b: Nanoseconds) -> Bool { a.rawValue < b.rawValue }

    /// Whether there is a timeout at all.
    public var isOn: Bool { rawValue > 0 }
}

extension Nanoseconds {
    private static let units: [(suffix: String, nanoseconds: Int64)] = [
        ("ns", 1), ("µs", 1000), ("us", 1000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000),
        ("h", 3_600_000_000_000), ("d", 86_400_000_000_000),
    ]

    /// The longest span that is accepted. It leaves room to add any two of them to a clock reading.
    static let longest = Nanoseconds.hours(24 * 365 * 10)

    /// A duration as written on the command line: a whole number and a unit, or a bare 0.
    public init(parsing text: String) throws(OptionSyntaxError) {
        let (number, suffix) = try splitNumber(text, kind: "duration", examples: "30s, 500ms, 2m or 1h")
        if suffix.isEmpty {
            guard number == 0 else {
                throw OptionSyntaxError(
                    "\(quoted(text)) has no unit: write \(number)s, \(number)ms or \(number)m")
            }
            self = .zero
            return
        }
        guard let unit = Self.units.first(where: { $0.suffix == suffix }) else {
            throw OptionSyntaxError("\(quoted(suffix)) is not a unit of time: use ns, us, ms, s, m, h or d")
        }
        let (product, overflow) = Int64(clamping: number).multipliedReportingOverflow(by: unit.nanoseconds)
        guard !overflow, product <= Self.longest.rawValue else {
            throw OptionSyntaxError("\(quoted(text)) is longer than ten years: 0 switches a timeout off")
        }
        self = Nanoseconds(product)
    }
}

extension Nanoseconds: CustomStringConvertible {
    /// In the largest unit that stays whole and common: 1h, 75s, 500ms.
    public var description: String {
        if rawValue == 0 { return "0" }
        for unit in Self.units.reversed() where rawValue % unit.nanoseconds == 0 {
            let count = rawValue / unit.nanoseconds
            // 60s reads better than 1m.
            if unit.suffix == "m" && count < 10 || unit.suffix == "d" { continue }
            return "\(count)\(unit.suffix)"
        }
        return "\(rawValue)ns"
    }
}
