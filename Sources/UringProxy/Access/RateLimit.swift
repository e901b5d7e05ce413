internal import Synchronization

/// A rate limit as a worker applies it: how to find the bucket of a request, and to take from it.
///
/// Plain numbers and pointers into its `RateLimiter`, which lives as long as the plan that holds both: to apply it counts no
/// references, on a line that all workers would share.
@safe struct RateLimit: BitwiseCopyable, @unchecked Sendable {
    enum Key: UInt8, BitwiseCopyable { case address, field, place, all }

    /// Buckets that a key may be in: what two cache lines hold.
    static var groupSize: Int { 8 }

    let key: Key
    /// What exceeds it is let in.
    let observes: Bool
    let field: FieldName
    let fieldName: ByteView
    /// What of an address counts.
    let ipv4Mask: UInt32
    let ipv6Mask: IPAddress
    /// RateLimit-Policy and the beginning of RateLimit, for answers.
    let lines: ByteView

    let seed: UInt64
    /// Between two requests in the long run, and what a full bucket holds; nanoseconds.
    let interval: Int64
    let span: Int64
    let groupMask: Int
    /// Of each bucket its key's hash, 0 for none, and its time; behind them `RateLimiter.Count`.
    let cells: UnsafeMutablePointer<Atomic<UInt64>>
    let counts: UnsafeMutablePointer<Atomic<UInt64>>

    // MARK: - Keys

    // Never 0: that marks a bucket that nobody has.

    func hash(_ address: IPAddress) -> UInt64 {
        guard address.isIPv4 else {
            let high = ByteHash.mix(seed, address.high & ipv6Mask.high)
            return ByteHash.mix(high, address.low & ipv6Mask.low) | 1
        }
        return ByteHash.mix(~seed, UInt64(address.ipv4 & ipv4Mask)) | 1
    }

    func hash(_ text: ByteView) -> UInt64 { ByteHash.hash(text, seed: seed, foldingCase: false) | 1 }

    func hash(_ place: UInt64) -> UInt64 { ByteHash.mix(seed, place) | 1 }

    // MARK: - Buckets

    /// Takes a request out of its key's bucket: the generic cell rate algorithm (ITU-T I.371), of which a bucket is one
    /// number, the time at which it will be full again.
    ///
    /// - Parameter now: of the monotonic clock, which all workers share.
    /// - Returns: 0 if there was one; else how long it takes until there is, in nanoseconds, and nothing was taken.
    func take(_ hash: UInt64, now: Int64) -> Int64 {
        let time = unsafe cells + (bucket(of: hash, now: now) &* 2 &+ 1)
        var full = unsafe time.pointee.load(ordering: .relaxed)
        while true {
            let next = max(Int64(bitPattern: full), now) &+ interval
            if next &- now > span { return next &- now &- span }
            let swapped = unsafe time.pointee.weakCompareExchange(
                expected: full, desired: UInt64(bitPattern: next), ordering: .relaxed)
            if swapped.exchanged { return 0 }
            full = swapped.original
        }
    }

    /// The bucket of a key; if it has none, that which has been full for longest becomes its own. One that is full says no more than
    /// one that is not there; if none of the group is, the fullest is lost, and its owner begins anew.
    private func bucket(of hash: UInt64, now: Int64) -> Int {
        let first = (Int(truncatingIfNeeded: hash >> 24) & groupMask) &* Self.groupSize
        // Again where another worker was faster.
        for _ in 0..<4 {
            var least = Int64.max
            var chosen = first
            var owner: UInt64 = 0
            for index in first..<first &+ Self.groupSize {
                let key = unsafe cells[index &* 2].load(ordering: .relaxed)
                if key == hash { return index }
                let time = unsafe Int64(bitPattern: cells[index &* 2 &+ 1].load(ordering: .relaxed))
                if key == 0 ? least > .min : time < least {
                    least = key == 0 ? .min : time
                    chosen = index
                    owner = key
                }
            }
            let taken = unsafe cells[chosen &* 2].compareExchange(
                expected: owner, desired: hash, ordering: .relaxed)
            if taken.exchanged {
                if least > now {
                    count(.evicted)
                    unsafe cells[chosen &* 2 &+ 1].store(0, ordering: .relaxed)
                }
                return chosen
            }
            if taken.original == hash { return chosen }
        }
        return first
    }

    func count(_ count: RateLimiter.Count) {
        unsafe counts[count.rawValue].wrappingAdd(1, ordering: .relaxed)
    }
}
