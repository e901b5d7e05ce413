/// Endpoints of a cluster that are not to be chosen, a bit each, in words that outlive this view.
@safe struct EndpointMask: BitwiseCopyable {
    private let words: UnsafePointer<UInt64>?
    private let wordCount: Int

    /// Every endpoint may be chosen.
    @inline(__always)
    static var none: EndpointMask { unsafe EndpointMask(words: nil, wordCount: 0) }

    @inline(__always) @unsafe
    init(words: UnsafePointer<UInt64>?, wordCount: Int) {
        unsafe self.words = words
        self.wordCount = wordCount
    }

    @inline(__always)
    func contains(_ index: Int) -> Bool {
        let word = index >> 6
        guard word < wordCount, let words = unsafe words else { return false }
        precondition(word >= 0)
        return unsafe words[word] >> UInt64(index & 63) & 1 == 1
    }
    /// 64 of the bits; none beyond the last word.
    func word(_ index: Int) -> UInt64 {
        guard index < wordCount, let words = unsafe words else { return 0 }
        precondition(index >= 0)
        return unsafe words[index]
    }
}
