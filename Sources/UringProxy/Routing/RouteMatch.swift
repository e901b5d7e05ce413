/// The rule that takes a request.
struct RouteMatch: BitwiseCopyable {
    /// Most placeholders of a template, and most groups of a regular expression that are kept.
    static var captureLimit: Int { 8 }

    /// Its place among the rules that the table was made of.
    let rule: Int
    /// What the placeholders of its path stand for, or the groups of its regular expression, as `PathPattern.captureNames`
    /// names them.
    private let captures: InlineArray<8, ByteRange>
    let captureCount: Int

    init(rule: Int, captures: InlineArray<8, ByteRange>, captureCount: Int) {
        precondition(captureCount >= 0 && captureCount <= Self.captureLimit)
        self.rule = rule
        self.captures = captures
        self.captureCount = captureCount
    }

    /// Where a capture stands in the normalised path; empty if that part of the pattern matched nothing.
    @inline(__always)
    func capture(_ index: Int) -> ByteRange {
        index < captureCount ? captures[index] : .empty
    }
}
