/// How slow a body may be before its connection is cut. 0 bytes a second switches it off.
public struct MinimumRate: Sendable, Hashable, BitwiseCopyable {
    public var bytesPerSecond: Int64
    /// How long a body may take before its rate counts.
    public var grace: Nanoseconds

    public init(bytesPerSecond: Int64, grace: Nanoseconds) {
        self.bytesPerSecond = bytesPerSecond
        self.grace = grace
    }

    public static let off = MinimumRate(bytesPerSecond: 0, grace: .zero)
    public var isOn: Bool { bytesPerSecond > 0 }

    static let defaultGrace = Nanoseconds.seconds(10)

    /// `240:10s`: a size for each second, a colon, the grace time. Without the colon the grace time is 10s; `0` is off.
    public init(parsing text: String) throws(OptionSyntaxError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        var size = String(parts[0])
        if size.hasSuffix("/s") { size.removeLast(2) }
        let rate = try ByteSize.parse(size)
        var grace = Self.defaultGrace
        if parts.count == 2 { grace = try Nanoseconds(parsing: String(parts[1])) }
        self = rate == 0 ? .off : MinimumRate(bytesPerSecond: Int64(clamping: rate), grace: grace)
    }
}

extension MinimumRate: CustomStringConvertible {
    public var description: String {
        isOn ? "\(ByteSize.describe(UInt64(clamping: bytesPerSecond))):\(grace)" : "0"
    }
}
