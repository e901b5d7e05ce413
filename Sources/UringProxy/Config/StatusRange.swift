/// Statuses of responses: one, or from one to another.
public struct StatusRange: Sendable, Equatable, BitwiseCopyable, CustomStringConvertible {
    public var first: UInt16
    public var last: UInt16

    public init(_ range: ClosedRange<UInt16>) {
        first = range.lowerBound
        last = range.upperBound
    }

    /// `200` or `200-399`; final statuses, so 200 to 599.
    public init(parsing text: String) throws(OptionSyntaxError) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { $0.utf8.count == 3 ? UInt16($0) : nil }
        guard parts.count <= 2, numbers.count == parts.count, let first = numbers.first,
            let last = numbers.last, first >= 200, last <= 599, first <= last
        else {
            throw OptionSyntaxError(
                "\(quoted(text)) are no statuses: write one from 200 to 599, or a range such as 200-399")
        }
        self.init(first...last)
    }

    public var description: String { first == last ? "\(first)" : "\(first)-\(last)" }

    func contains(_ status: UInt16) -> Bool { status >= first && status <= last }
}
