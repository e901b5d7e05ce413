internal import CPosix
internal import Synchronization

/// What the writer's thread works with.
struct AccessLogWriting {
    /// So many records of one worker before the next one has its turn.
    private static var share: Int { 256 }
    /// So often every worker has its turn before there is a look at what else is to do.
    private static var turns: Int { 16 }

    /// The oldest first.
    var logs: [AccessLog] = []
    /// The last look found nothing, and was after the word that it sleeps.
    var isDrowsy = false
    /// The last round has left something that could be written.
    private(set) var hasMore = false
    private let counters: AccessLogCounters
    private let log: DiagnosticLog
    private var scratch: [UInt8] = []
    /// Of logs that workers have left, since when; by their order.
    private var leftSince: [ObjectIdentifier: Int64] = [:]

    init(counters: AccessLogCounters, log: DiagnosticLog) {
        self.counters = counters
        self.log = log
    }

    // MARK: - A round

    /// Takes records out of the rings and writes them, as far as destinations take them.
    ///
    /// - Returns: whether there were any.
    mutating func round() -> Bool {
        let workers = logs.map(\.plan.lanes.count).max() ?? 0
        var hasMoved = false
        hasMore = false
        for _ in 0..<Self.turns {
            var count = 0
            for worker in 0..<workers { count += drain(worker) }
            hasMore = count > 0
            if count == 0 { break }
            hasMoved = true
        }
        flush()
        return hasMoved
    }

    /// The next records of a worker. What it has published by one log comes before what it has by a later one.
    ///
    /// - Returns: how many there were.
    private mutating func drain(_ worker: Int) -> Int {
        // What a worker has published by a log is there to be seen once something is by a later one: the latest is looked at first.
        var isWaiting = false
        var waiting: UInt64 = 0
        for index in logs.indices.reversed() where logs[index].plan.lanes[worker].ring.next() != nil {
            isWaiting = true
            waiting |= 1 << UInt64(min(index, 63))
        }
        guard isWaiting else { return 0 }
        var count = 0
        for index in logs.indices where waiting & 1 << UInt64(min(index, 63)) != 0 {
            let log = logs[index]
            let ring = log.plan.lanes[worker].ring
            count += drain(ring, log)
            if ring.next() != nil { break }
        }
        return count
    }

    private mutating func drain(_ ring: RecordRing, _ log: AccessLog) -> Int {
        let output = log.output
        var count = 0
        while count < Self.share, output.isReady, !output.batch.isFull, let record = ring.next() {
            if let view = AccessRecordView(record) {
                let isRedacted = log.redaction.apply(view, into: &scratch)
                output.sink.begin(view.record, in: &output.batch.bytes)
                if isRedacted {
                    append(scratch, log.format, to: output)
                } else {
                    log.format.append(view, to: &output.batch.bytes)
                }
                output.batch.endRecord()
            } else {
                assertionFailure("what is in a ring is a record")
                counters.lost.wrappingAdd(1, ordering: .relaxed)
            }
            ring.consume(record)
            count += 1
            if output.batch.isFull { output.flush(counters, self.log, now: cposix_monotonic_nanoseconds()) }
        }
        return count
    }

    private func append(_ record: [UInt8], _ format: AccessLogFormat, to output: AccessLogOutput) {
        unsafe record.withUnsafeBytes { bytes in
            guard let view = unsafe AccessRecordView(ByteView(bytes)) else { return }
            format.append(view, to: &output.batch.bytes)
        }
    }

    private func flush() {
        let now = cposix_monotonic_nanoseconds()
        for output in outputs where output.isReady { output.flush(counters, log, now: now) }
    }

    /// Each once.
    private var outputs: [AccessLogOutput] {
        var outputs: [AccessLogOutput] = []
        for log in logs where !outputs.contains(where: { $0 === log.output }) { outputs.append(log.output) }
        return outputs
    }

    // MARK: - Between rounds

    /// Everything that was published is written.
    var isDone: Bool {
        outputs.allSatisfy(\.batch.isEmpty)
            && logs.allSatisfy { $0.plan.lanes.allSatisfy { $0.ring.next() == nil } }
    }

    /// There are logs that workers are about to leave.
    var isLeaving: Bool { logs.contains(where: \.isBeingLeft) }

    /// Where there has to be room before more is written.
    var fullDescriptors: [Int32] {
        outputs.compactMap { output in
            if case .isFull(let descriptor) = output.state { descriptor } else { nil }
        }
    }

    /// Whether a destination would take what comes now.
    var isReady: Bool { outputs.isEmpty || outputs.contains(where: \.isReady) }

    /// When a destination that has failed is tried again, by CLOCK_MONOTONIC.
    var nextAttempt: Int64? {
        outputs.compactMap { output in if case .failed(let time) = output.state { time } else { nil } }.min()
    }

    /// - Parameter hasRoom: where a destination had none, another attempt is due.
    func retry(now: Int64, hasRoom: Bool) {
        for output in outputs { output.retry(now: now, hasRoom: hasRoom) }
    }

    func reopen() {
        flush()
        for output in outputs { output.reopen(counters, log) }
    }

    /// Takes out the logs that workers have left and that are written; and those whose destination takes nothing.
    mutating func takeLeft(patience: Int64) -> [AccessLog] {
        let now = cposix_monotonic_nanoseconds()
        var gone: [AccessLog] = []
        while let first = logs.first, first.isLeft {
            let since = leftSince[ObjectIdentifier(first), default: now]
            leftSince[ObjectIdentifier(first)] = since
            let isShared = logs.dropFirst().contains { $0.output === first.output }
            let rings = first.plan.lanes.map(\.ring)
            let isWritten =
                rings.allSatisfy { $0.next() == nil } && (isShared || first.output.batch.isEmpty)
            if !isWritten {
                if now - since < patience || first.output.isReady { break }
                if isShared { break }
                lose(rings)
                first.output.abandon(counters)
            }
            leftSince[ObjectIdentifier(first)] = nil
            gone.append(logs.removeFirst())
        }
        return gone
    }

    /// At the end: what has not been taken in time is lost.
    func abandon() {
        for log in logs { lose(log.plan.lanes.map(\.ring)) }
        for output in outputs { output.abandon(counters) }
    }

    private func lose(_ rings: [RecordRing]) {
        var count: UInt64 = 0
        for ring in rings {
            while let record = ring.next() {
                ring.consume(record)
                count += 1
            }
        }
        counters.lost.wrappingAdd(count, ordering: .relaxed)
    }
}
