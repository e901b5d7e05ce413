/// What is kept of an exchange for those who look at it afterwards: beside it, and only while somebody does.
struct ExchangeNotes: BitwiseCopyable {
    /// The exchange of its slot has notes; without them it began when nobody kept any.
    var isKept = false
    /// Texts of it are gathered for the access log, or for its spans.
    var hasTexts = false
    /// It belongs to a trace: the engine's `traces` has which.
    var isTraced = false
    /// Its spans are exported.
    var isExported = false
    var failure = ProxyError.none
    var status: UInt16 = 0
    var upstreamStatus: UInt16 = 0
    var flags: AccessRecord.Flags = []
    /// Of its place among the `NoteTexts`, what is written.
    var textsSize: UInt16 = 0
    /// Who decides whether it is logged, by its index.
    var sampler: UInt16 = 0
    var id: UInt64 = 0
    var ledger: Ledger
    /// Whom it is from: the connection's peer, or whom trusted proxies name.
    var client = IPAddress.unspecified
    /// What it is counted in.
    var rows = ExchangeRows()
    /// Content that the answer's head announced; `.max`: its framing tells the end, or none has come.
    var announced = UInt64.max
    /// Bytes that came of a body that ends with its connection, or into a tunnel.
    var receivedUpstream: UInt64 = 0
    var receivedDownstream: UInt64 = 0
    /// Of an answer of our own.
    var localBytes: UInt64 = 0
}

/// Room for the texts of exchanges, by their slots: pages of it are there once something was written.
@safe struct NoteTexts: ~Copyable {
    /// In words: so that all that a process can have is counted by 32 bits.
    private let words: SlotTable<UInt64>
    let sizeEach: Int

    /// - Parameter sizeEach: a multiple of 8; 0: there is no room.
    init(capacity: Int, sizeEach: Int) {
        precondition(sizeEach % 8 == 0)
        self.sizeEach = sizeEach
        words = SlotTable(capacity: max(1, capacity * (sizeEach / 8)))
    }

    /// Goes on writing behind what is there.
    ///
    /// - Parameter kept: bytes that are left for others, half of the room at most.
    func writer(_ index: UInt32, count: Int, leaving kept: Int = 0) -> AccessTextWriter {
        let capacity = sizeEach &- min(kept, sizeEach / 2) & ~7
        return unsafe AccessTextWriter(base: base(index), capacity: capacity, count: count)
    }

    /// What is written of an exchange's.
    func view(_ index: UInt32, count: Int) -> ByteView {
        precondition(count <= sizeEach)
        return unsafe ByteView(base: UnsafePointer(base(index)), count: count)
    }

    @unsafe
    private func base(_ index: UInt32) -> UnsafeMutablePointer<UInt8> {
        let word = unsafe words.address(of: index * UInt32(truncatingIfNeeded: sizeEach / 8))
        return unsafe UnsafeMutableRawPointer(word).assumingMemoryBound(to: UInt8.self)
    }
}
