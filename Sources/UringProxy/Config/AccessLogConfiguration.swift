/// What is written of each exchange, how and where to.
public struct AccessLogConfiguration: Sendable, Equatable {
    /// What becomes of a record that finds its worker's ring full.
    public enum WhenFull: String, Sendable, CaseIterable {
        /// It is dropped and counted.
        case drop
        /// The worker waits, and all its exchanges with it.
        case wait
    }

    /// A path, or one of the words that `AccessLogDestination` knows.
    public var to: String
    /// combined, json, logfmt, binary, or a template.
    public var format = "combined"
    /// One in so many exchanges is kept.
    public var sample = 1
    /// Records a second at most; 0: any number.
    public var rate = 0
    /// What takes so long is always kept; 0: nothing is for that.
    public var slow = Nanoseconds.seconds(1)
    /// Whether 5xx and failures are always kept.
    public var keepErrors = true
    /// Names of fields whose values are kept.
    public var requestFields: [String] = []
    public var responseFields: [String] = []
    /// Names of query parameters, and of fields, whose values are not shown.
    public var redactedQuery: [String] = []
    public var redactedFields: [String] = []
    /// nil: uproxy does not rotate the file.
    public var rotation: Rotation?
    /// Of each worker's ring.
    public var bufferBytes = 1 << 20
    public var whenFull = WhenFull.drop
    /// Of a record with its texts.
    public var recordBytes = 4 << 10

    /// When a file is renamed and another one begun.
    public struct Rotation: Sendable, Equatable {
        /// 0: whatever its size.
        public var sizeBytes: UInt64 = 0
        /// At the full hour, day…, UTC. 0: however old it is.
        public var every = Nanoseconds.zero
        /// Renamed files that stay; 0: all.
        public var keep = 0

        public init() {}
    }

    public init(to: String) { self.to = to }
}
