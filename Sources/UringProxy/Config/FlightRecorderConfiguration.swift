/// What of the last events of each worker is kept, and when it is written to a file.
public struct FlightRecorderConfiguration: Sendable, Equatable {
    /// `auto`: where there is an admin listener to ask, or a directory.
    public enum Switch: String, Sendable, CaseIterable { case auto, on, off }

    public var enabled = Switch.auto
    /// Of each worker; rounded up to a power of two.
    public var events = 64 << 10
    /// An exchange that takes as long is written to a file; 0: none is for that.
    public var slow = Nanoseconds.seconds(1)
    /// A worker that does one thing for so long is told of; 0: nobody looks.
    public var stall = Nanoseconds.milliseconds(30)
    /// Where files are written; nil: nowhere.
    public var directory: String?
    /// Files that stay there, older ones are deleted.
    public var keep = 16

    public init() {}

    static let eventRange = 1024...(16 << 20)
    static let keepRange = 1...10_000
    static let stallRange = Nanoseconds.milliseconds(5)...Nanoseconds.seconds(10)

    func check(_ problems: inout ProblemList) {
        if !Self.eventRange.contains(events) {
            problems.add(
                "flight_recorder.events",
                "\(events) is outside \(Self.eventRange.lowerBound) to \(Self.eventRange.upperBound)",
                "each takes 32 bytes of every worker")
        }
        if !Self.keepRange.contains(keep) {
            problems.add(
                "flight_recorder.keep",
                "\(keep) is outside \(Self.keepRange.lowerBound) to \(Self.keepRange.upperBound)",
                "a file takes some MB: keep as many as there is room for")
        }
        if stall.isOn && !Self.stallRange.contains(stall) {
            problems.add(
                "flight_recorder.stall",
                "\(stall) is outside \(Self.stallRange.lowerBound) to \(Self.stallRange.upperBound)",
                "take 30ms, or 0 if nobody is to look")
        }
        if slow < .zero {
            problems.add("flight_recorder.slow", "\(slow) is negative", "take 1s, or 0 for none")
        }
        if directory == "" {
            problems.add("--flight-recorder-directory", "it is empty", "name a directory, or off")
        }
    }
}

extension Configuration {
    /// Whether events are kept.
    var recordsFlight: Bool {
        switch flightRecorder.enabled {
        case .auto: adminAddress != nil || flightRecorder.directory != nil
        case .on: true
        case .off: false
        }
    }
}
