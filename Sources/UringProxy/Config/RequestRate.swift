/// How many requests in which time.
public struct RequestRate: Sendable, Hashable {
    public enum Unit: String, Sendable, CaseIterable {
        case second = "s"
        case minute = "m"
        case hour = "h"
        case day = "d"

        var seconds: Int {
            switch self {
            case .second: 1
            case .minute: 60
            case .hour: 3600
            case .day: 86_400
            }
        }
    }

    /// 1 to `countLimit`.
    public var count: Int
    public var unit: Unit

    static let countLimit = 1_000_000

    public init(_ count: Int, per unit: Unit = .second) {
        self.count = count
        self.unit = unit
    }

    /// `100/s`, `30/m`, `1000/h` or `5/d`.
    public init(parsing text: String) throws(OptionSyntaxError) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let unit = Unit(rawValue: String(parts[1])) else {
            throw OptionSyntaxError(
                "\(quoted(text)) is no rate: write for example 100/s, 30/m, 1000/h or 5/d")
        }
        let (count, rest) = try splitNumber(String(parts[0]), kind: "rate", examples: "100/s or 30/m")
        guard rest.isEmpty, (1...UInt64(Self.countLimit)).contains(count) else {
            throw OptionSyntaxError(
                "\(quoted(text)) is outside 1/\(unit.rawValue) to \(Self.countLimit)/\(unit.rawValue): "
                    + "to let nobody in, use deny")
        }
        self.init(Int(count), per: unit)
    }

    /// Between two requests that come as fast as they may, in nanoseconds.
    var interval: Int64 { Int64(unit.seconds) * 1_000_000_000 / Int64(count) }
}

extension RequestRate: CustomStringConvertible {
    public var description: String { "\(count)/\(unit.rawValue)" }
}
