internal import Synchronization

/// What workers do about traces. Never changes: a reload that changes it brings another one, with the same lanes.
final class TracePlan: Sendable {
    let configuration: TracingConfiguration
    /// By the worker's index; empty: nothing is exported.
    let lanes: [TraceLane]

    init(_ configuration: TracingConfiguration, lanes: [TraceLane]) {
        self.configuration = configuration
        self.lanes = lanes
    }

    /// Room for the texts of an exchange, where the access log does not say how much: what is longer is shortened.
    static var textBytes: Int { 4096 }
}

/// Of a plan what every exchange asks: apart from it, so that to ask counts no references.
struct TraceRules: BitwiseCopyable {
    private(set) var isOn = false
    /// Sampled exchanges leave a record.
    private(set) var exports = false
    private(set) var parent = TracingConfiguration.Parent.honour
    /// Of 56 random bits of a trace's id, the least that is sampled.
    private(set) var threshold: UInt64 = 0

    /// There are no traces.
    init() {}

    init(_ plan: TracePlan) {
        let configuration = plan.configuration
        isOn = true
        exports = !plan.lanes.isEmpty
        parent = configuration.parent
        let sample = UInt64(configuration.sample)
        threshold = sample == 0 ? Self.all : Self.all - Self.all / sample
    }

    private static var all: UInt64 { 1 << 56 }

    /// Whether a trace is sampled, by its id alone: so whoever else goes by the same bits samples the same ones, or more of them, or
    /// fewer (OpenTelemetry's consistent probability sampling).
    @inline(__always)
    func samples(_ low: UInt64) -> Bool { low & (Self.all &- 1) >= threshold }
}

/// The way that one worker's spans go.
final class TraceLane: Sendable {
    let ring: RecordRing
    private let bell: AccessLogBell
    private let dropped = Atomic<UInt64>(0)

    init(bell: AccessLogBell) {
        ring = RecordRing(capacity: Self.capacity)
        self.bell = bell
    }

    /// Room for some thousand exchanges: the exporter looks each 10 ms.
    private static var capacity: Int { 1 << 20 }

    /// Spans that found no room.
    var droppedCount: UInt64 { dropped.load(ordering: .relaxed) }

    // MARK: - The worker

    /// Room for a record, to be published in `ring`; nil if there is none, and its spans are counted as dropped.
    @inline(__always) @unsafe
    func reserve(_ size: Int, spans: Int) -> UnsafeMutableRawPointer? {
        if let place = unsafe ring.reserve(size) { return unsafe place }
        dropped.store(dropped.load(ordering: .relaxed) &+ UInt64(spans), ordering: .relaxed)
        return nil
    }

    /// Once at the end of a turn that has published records.
    func wakeExporter() {
        switch bell.state {
        case .awake: return
        case .asleep: bell.wake(from: .asleep)
        case .napping: if ring.waitingBytes > ring.capacity / 2 { bell.wake(from: .napping) }
        }
    }
}
