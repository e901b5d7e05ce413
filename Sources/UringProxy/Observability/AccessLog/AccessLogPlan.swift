internal import Synchronization

/// What workers do for the access log, and where they leave its records. Never changes: a reload that changes the log brings another one,
/// with rings of its own, and each worker goes over to it as it adopts the snapshot that has it.
final class AccessLogPlan: Sendable {
    /// Of exchanges that are nothing special one in so many is kept; 1: all of them are.
    let sample: UInt32
    /// Of exchanges that are nothing special so many are kept in a second at most, by all workers together; 0: any number.
    let rate: UInt32
    /// Exchanges that take as long or longer are always kept, nanoseconds; `.max`: none is for that.
    let slow: Int64
    /// Whether answers of class 5xx and what failed are always kept.
    let keepsErrors: Bool
    /// Names of fields whose values are kept, in lower case.
    let requestFields: [[UInt8]]
    let responseFields: [[UInt8]]
    /// Bytes of a record with its texts at most: a multiple of 8.
    let recordSize: Int
    /// By the worker's index.
    let lanes: [AccessLogLane]

    /// - Parameters:
    ///   - capacity: of each ring in bytes, a power of two.
    ///   - waits: whether workers wait where their ring is full, instead of dropping records.
    init(
        sample: UInt32, rate: UInt32, slow: Int64, keepsErrors: Bool, requestFields: [[UInt8]],
        responseFields: [[UInt8]], recordSize: Int, workers: Int, capacity: Int, waits: Bool,
        bell: AccessLogBell
    ) {
        precondition(sample > 0 && recordSize % 8 == 0 && recordSize <= AccessRecord.sizeLimit)
        self.sample = sample
        self.rate = rate
        self.slow = slow
        self.keepsErrors = keepsErrors
        self.requestFields = requestFields
        self.responseFields = responseFields
        self.recordSize = recordSize
        lanes = (0..<workers).map { _ in
            AccessLogLane(ring: RecordRing(capacity: capacity), bell: bell, waits: waits)
        }
    }
}

/// The way that one worker's records go.
final class AccessLogLane: Sendable {
    let ring: RecordRing
    private let bell: AccessLogBell
    private let waits: Bool
    private let left = Atomic(false)

    init(ring: RecordRing, bell: AccessLogBell, waits: Bool) {
        self.ring = ring
        self.bell = bell
        self.waits = waits
    }

    // MARK: - Anybody

    /// The worker is to leave it, and waits for room no longer: it would not hear of that.
    func leave() { left.store(true, ordering: .relaxed) }

    // MARK: - The worker

    /// Room for a record, to be published in `ring`; nil if there is none, and the record is counted as dropped. Where the configuration
    /// wants no record dropped, it waits for room: the worker stands still meanwhile.
    @inline(__always) @unsafe
    func reserve(_ size: Int) -> UnsafeMutableRawPointer? {
        if waits { awaitRoom(size) }
        return unsafe ring.reserve(size)
    }

    /// Once at the end of a turn that has published records.
    @inline(__always)
    func ring(isUrgent: Bool = false) {
        switch bell.state {
        case .awake: return
        case .asleep: bell.wake(from: .asleep)
        case .napping:
            if isUrgent || ring.waitingBytes > ring.capacity / 2 { bell.wake(from: .napping) }
        }
    }

    @inline(never)
    private func awaitRoom(_ size: Int) {
        // Up to the ring's end less than another `size` may have to be left out.
        while ring.capacity - ring.waitingBytes < 2 * size && !bell.isClosed
            && !left.load(ordering: .relaxed)
        {
            ring(isUrgent: true)
            bell.waitForRoom()
        }
    }
}
