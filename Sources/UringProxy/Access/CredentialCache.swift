/// What a worker knows of credentials that it has seen: whose they are, or that they are nobody's. A fixed number of them,
/// each for a time.
@safe struct CredentialCache: ~Copyable {
    private struct Entry: BitwiseCopyable {
        var digest: Digest
        /// 0: nothing is known here.
        var expiresAt: Int64
        var user: Int32
    }

    private static let ways = 4

    private let entries: UnsafeMutablePointer<Entry>
    private let groups: Int

    /// - Parameter groups: of four; a power of two, or 0 where nobody is asked for credentials.
    init(groups: Int) {
        precondition(groups & (groups - 1) == 0)
        self.groups = groups
        unsafe entries = .allocate(capacity: max(1, groups * Self.ways))
        unsafe entries.initialize(
            repeating: Entry(digest: Digest(of: .empty), expiresAt: 0, user: -1),
            count: max(1, groups * Self.ways))
    }

    deinit { unsafe entries.deallocate() }

    /// Whether it remembers nothing.
    var isEmpty: Bool { groups == 0 }

    /// The user whose credentials these are, -1 for nobody's; nil if that is not known.
    func find(_ digest: Digest, now: Int64) -> Int32? {
        for index in ways(of: digest) {
            let entry = unsafe entries[index]
            if entry.expiresAt > now && entry.digest == digest { return entry.user }
        }
        return nil
    }

    /// In the place of what is about to be forgotten first.
    func insert(_ digest: Digest, user: Int32, until expiresAt: Int64) {
        guard groups > 0 else { return }
        var chosen = ways(of: digest).lowerBound
        for index in ways(of: digest) {
            if unsafe entries[index].digest == digest {
                chosen = index
                break
            }
            if unsafe entries[index].expiresAt < entries[chosen].expiresAt { chosen = index }
        }
        unsafe entries[chosen] = Entry(digest: digest, expiresAt: expiresAt, user: user)
    }

    private func ways(of digest: Digest) -> Range<Int> {
        guard groups > 0 else { return 0..<0 }
        let first = (Int(truncatingIfNeeded: digest.first) & (groups &- 1)) &* Self.ways
        return first..<first &+ Self.ways
    }
}
