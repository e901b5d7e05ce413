internal import CPosix
internal import Synchronization

/// A destination, and the records that are about to go there. Once it is made it is for the writer's thread alone, which is why it may
/// pass to that.
final class AccessLogOutput: @unchecked Sendable {
    private static let firstWait: Int64 = 100_000_000
    private static let longestWait: Int64 = 5_000_000_000

    /// What would have to differ for another one.
    let identity: Identity
    let sink: any AccessLogSink
    var batch = AccessLogBatch()
    private(set) var state = State.isReady
    /// Before the next attempt, if that fails as well.
    private var wait = firstWait
    /// CLOCK_MONOTONIC, when it began to fail; 0: it does not.
    private var failedAt: Int64 = 0

    struct Identity: Equatable, Sendable {
        var destination: AccessLogDestination
        var isBinary: Bool
        var rotation: AccessLogConfiguration.Rotation?
    }

    enum State: Equatable {
        case isReady
        /// Until there is room in a descriptor.
        case isFull(descriptor: Int32)
        /// Until a time of CLOCK_MONOTONIC.
        case failed(until: Int64)
    }

    init(identity: Identity, sink: any AccessLogSink) {
        self.identity = identity
        self.sink = sink
    }

    var isReady: Bool { state == .isReady }

    /// Tries to write what there is. Where that fails it is told once, and so is that it works again.
    func flush(_ counters: AccessLogCounters, _ log: DiagnosticLog, now: Int64) {
        if batch.isEmpty {
            state = .isReady
            return
        }
        switch sink.write(&batch, counters) {
        case .done:
            state = .isReady
            noteSuccess(log, now: now)
        case .isFull(let descriptor):
            state = .isFull(descriptor: descriptor)
            // It takes something, or will.
            noteSuccess(log, now: now)
        case .failed(let errno):
            counters.writeFailures.wrappingAdd(1, ordering: .relaxed)
            if failedAt == 0 {
                failedAt = now
                log.write(
                    "access log \(sink.name): writing failed with errno \(errno)\(Self.hint(errno)); it is tried again, and records that find no room meanwhile are dropped"
                )
            }
            state = .failed(until: now + wait)
            wait = min(wait * 2, Self.longestWait)
        }
    }

    private func noteSuccess(_ log: DiagnosticLog, now: Int64) {
        guard failedAt != 0 else { return }
        let seconds = max(1, (now - failedAt) / 1_000_000_000)
        (failedAt, wait) = (0, Self.firstWait)
        log.write("access log \(sink.name): written again, after \(seconds)s")
    }

    private static func hint(_ errno: Int32) -> String {
        switch errno {
        case ENOSPC, EDQUOT: " (no space is left)"
        case EPIPE: " (nobody reads)"
        case ECONNREFUSED, ENOENT: " (nobody listens)"
        default: ""
        }
    }

    /// Another attempt is due.
    func retry(now: Int64, hasRoom: Bool) {
        switch state {
        case .isReady: break
        case .isFull: if hasRoom { state = .isReady }
        case .failed(let time): if now >= time { state = .isReady }
        }
    }

    /// Opens the file anew. What of the batch is left goes there.
    func reopen(_ counters: AccessLogCounters, _ log: DiagnosticLog) {
        switch sink.reopen() {
        case .failed(let errno):
            log.write(
                "access log \(sink.name): it cannot be opened anew (errno \(errno)), and goes on where it was"
            )
            return
        case .same: break
        // A record of which a part is in the other file.
        case .another: batch.restartRecord()
        }
        counters.reopens.wrappingAdd(1, ordering: .relaxed)
        state = .isReady
        log.write("access log \(sink.name): opened anew")
    }

    /// Gives up what it still has.
    func abandon(_ counters: AccessLogCounters) {
        counters.lost.wrappingAdd(UInt64(batch.recordCount), ordering: .relaxed)
        batch.clear()
    }
}
