/// A worker's memory for looking up routes. Nothing in it outlives a request but its size.
@safe struct RouteScratch: ~Copyable {
    /// One segment of the path that is being looked up.
    struct Segment: BitwiseCopyable {
        var range: ByteRange
        var hash: UInt64
    }
    /// A place of the search for templates that has more than one way on.
    struct Frame: BitwiseCopyable {
        var node: UInt32
        var depth: Int32
        /// One bit for each segment that a placeholder took.
        var placeholders: UInt64
        var triedPlaceholder = false
    }

    private var path: GrowingBytes
    private var value: GrowingBytes
    private let segments: UnsafeMutablePointer<Segment>
    /// What is looked up begins with a slash.
    private(set) var hasPath = false
    private(set) var segmentCount = 0
    /// The path goes on behind the segments that were looked at.
    private(set) var hasMore = false

    private let frames: UnsafeMutablePointer<Frame>
    private(set) var frameCount = 0
    /// One for each segment of a pattern, and for the end.
    private static var frameLimit: Int { PathPattern.segmentLimit + 1 }

    private(set) var captures = InlineArray<8, ByteRange>(repeating: .empty)
    private(set) var captureCount = 0

    private var matcher = RegexMatcher()
    /// How many regular expressions were given up at a limit, and so taken not to match, since the scratch was made.
    private(set) var givenUpCount: UInt64 = 0
    /// One was given up in the look-up that is under way: whatever it finds is not certain, and no other one is tried.
    private(set) var isUndecided = false

    /// - Parameter pathBytes: the longest target that is taken without asking for more memory.
    init(pathBytes: Int) {
        path = GrowingBytes(capacity: pathBytes)
        value = GrowingBytes(capacity: pathBytes)
        unsafe segments = .allocate(capacity: PathPattern.segmentLimit)
        unsafe frames = .allocate(capacity: Self.frameLimit)
    }

    deinit {
        unsafe segments.deallocate()
        unsafe frames.deallocate()
    }

    /// The path in the form of `PathNormalizer`: itself, or a view that is good until the next call.
    mutating func normalised(_ path: ByteView) throws(PathProblem) -> ByteView {
        self.path.reserve(path.count)
        return try unsafe PathNormalizer.normalised(
            path, into: self.path.pointer, capacity: self.path.capacity)
    }

    /// The value of a query parameter as upstream decodes it; a view that is good until the next call.
    mutating func decoded(_ text: QueryText) -> ByteView {
        value.reserve(text.maximumSize)
        return unsafe text.decoded(into: value.pointer, capacity: value.capacity)
    }

    // MARK: Segments

    /// Notes where the first `limit` segments of a path are; what does not begin with a slash has none.
    mutating func split(_ path: ByteView, limit: Int, seed: UInt64) {
        precondition(limit <= PathPattern.segmentLimit)
        segmentCount = 0
        hasMore = false
        isUndecided = false
        hasPath = !path.isEmpty && path[0] == UInt8(ascii: "/")
        guard hasPath else { return }
        var start = 1
        while segmentCount < limit {
            var end = start
            while end < path.count, path[end] != UInt8(ascii: "/") { end &+= 1 }
            let hash = ByteHash.hash(path[start..<end], seed: seed, foldingCase: false)
            unsafe segments[segmentCount] = Segment(range: ByteRange(start..<end), hash: hash)
            segmentCount &+= 1
            guard end < path.count else { return }
            start = end &+ 1
        }
        hasMore = true
    }

    @inline(__always)
    func segment(_ index: Int) -> Segment {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: segmentCount))
        return unsafe segments[index]
    }

    // MARK: Places with another way on

    @inline(__always)
    mutating func removeFrames() { frameCount = 0 }

    @inline(__always)
    mutating func push(_ frame: Frame) {
        precondition(frameCount < Self.frameLimit)
        unsafe frames[frameCount] = frame
        frameCount &+= 1
    }

    /// The last one; it stays, as tried with its placeholder, until `popFrame`.
    @inline(__always)
    mutating func visitLastFrame() -> Frame {
        precondition(frameCount > 0)
        let frame = unsafe frames[frameCount &- 1]
        unsafe frames[frameCount &- 1].triedPlaceholder = true
        return frame
    }

    @inline(__always)
    mutating func popFrame() { frameCount &-= 1 }

    // MARK: Captures

    @inline(__always)
    mutating func removeCaptures() { captureCount = 0 }

    /// - Parameter rest: what a last placeholder took beyond them.
    mutating func capture(placeholders: UInt64, rest: ByteRange? = nil) {
        captureCount = 0
        var left = placeholders
        while left != 0 {
            append(segment(left.trailingZeroBitCount).range)
            left &= left &- 1
        }
        if let rest { append(rest) }
    }

    @inline(__always)
    private mutating func append(_ range: ByteRange) {
        captures[captureCount] = range
        captureCount &+= 1
    }

    // MARK: Regular expressions

    mutating func matches(_ code: RegularExpression.Code, _ subject: ByteView) -> Bool {
        if isUndecided { return false }
        switch matcher.run(code, on: subject) {
        case .matched: return true
        case .different: return false
        case .gaveUp:
            givenUpCount &+= 1
            isUndecided = true
            return false
        }
    }

    /// The groups of the match that was found last.
    mutating func captureGroups() {
        captureCount = 0
        for index in 0..<matcher.captureCount { append(matcher.capture(index)) }
    }
}
