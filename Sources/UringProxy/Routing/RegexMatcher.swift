internal import CPcre2

/// What a worker runs regular expressions with: the memory a match needs, and its limits.
@safe struct RegexMatcher: ~Copyable {
    enum Verdict: BitwiseCopyable { case matched, different, gaveUp }

    /// Steps of backtracking after which an expression is given up.
    static var matchLimit: UInt32 { 100_000 }
    /// For the interpreter: how deep they may nest, and what memory that may take. The machine code has its stack.
    private static var depthLimit: UInt32 { 20_000 }
    private static var heapLimitKibibytes: UInt32 { 4096 }
    private static var stackBytes: (first: Int, most: Int) { (32 * 1024, 512 * 1024) }
    /// The whole match, and the groups that a route may use.
    private static var pairs: UInt32 { UInt32(RouteMatch.captureLimit) + 1 }

    private let data: OpaquePointer
    private let context: OpaquePointer
    /// Nil where there is no machine code.
    private let stack: OpaquePointer?
    /// Of the last match, the whole included.
    private var groups = 0

    init() {
        guard let data = unsafe pcre2_match_data_create_8(Self.pairs, nil),
            let context = unsafe pcre2_match_context_create_8(nil)
        else { preconditionFailure("no memory for regular expressions") }
        unsafe self.data = data
        unsafe self.context = context
        unsafe stack = pcre2_jit_stack_create_8(Self.stackBytes.first, Self.stackBytes.most, nil)
        if let stack = unsafe stack {
            unsafe pcre2_jit_stack_assign_8(context, nil, UnsafeMutableRawPointer(stack))
        }
        unsafe _ = pcre2_set_match_limit_8(context, Self.matchLimit)
        unsafe _ = pcre2_set_depth_limit_8(context, Self.depthLimit)
        unsafe _ = pcre2_set_heap_limit_8(context, Self.heapLimitKibibytes)
    }

    deinit {
        unsafe pcre2_match_data_free_8(data)
        unsafe pcre2_match_context_free_8(context)
        if let stack = unsafe stack { unsafe pcre2_jit_stack_free_8(stack) }
    }

    /// Looks for the expression anywhere in `subject`.
    mutating func run(_ code: RegularExpression.Code, on subject: ByteView) -> Verdict {
        let result = unsafe pcre2_match_8(
            code.pointer, subject.pointer, subject.count, 0, 0, data, context)
        if result >= 0 {
            // 0: it has more groups than there is room for, and those that fit were written.
            groups = result == 0 ? Int(Self.pairs) : Int(result)
            return .matched
        }
        groups = 0
        // Every other error is a limit, too: subjects are not checked, and nothing is called out to.
        return result == PCRE2_ERROR_NOMATCH ? .different : .gaveUp
    }

    /// How many groups of the last match there are, up to the last one that took part, the whole match not counted.
    var captureCount: Int { max(0, groups &- 1) }

    /// Where group `index` (from 0, the whole match not counted) stands; empty if it took no part.
    func capture(_ index: Int) -> ByteRange {
        precondition(index >= 0 && index < captureCount)
        let offsets = unsafe pcre2_get_ovector_pointer_8(data)!
        let (start, end) = unsafe (offsets[2 * index + 2], offsets[2 * index + 3])
        // PCRE2_UNSET is all ones, and \K in a lookahead may put the end before the start.
        guard start >= 0 && end >= start else { return .empty }
        return ByteRange(start..<end)
    }
}
