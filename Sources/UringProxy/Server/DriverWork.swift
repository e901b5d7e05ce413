/// What a `WorkerThread` runs: something with an engine of its own on a driver of its own.
///
/// Two plain requirements instead of a generic one: each conformer names both drivers itself, so that its engine is
/// specialised for them, whatever the optimiser makes of the protocol.
protocol DriverWork: AnyObject, Sendable {
    /// The CPU to run on; nil for any.
    var cpu: Int? { get }
    /// At most 15 bytes.
    var threadName: String { get }
    /// What the buffers may take.
    var memoryBytes: Int { get }
    var connectionLimit: Int { get }
    /// Pipes that the driver may open.
    var pipeLimit: Int { get }
    var wakeup: Wakeup { get }
    var busyPoll: BusyPoll { get }

    /// Any thread.
    func send(_ message: Worker.Message)

    #if Uring
        /// Runs until told to stop; no slice may be leased afterwards.
        func run(on driver: consuming UringDriver, _ arena: Arena, _ segments: SegmentPool)
    #endif
    func run(on driver: consuming EpollDriver, _ arena: Arena, _ segments: SegmentPool)

    /// Called instead of `run` where it never comes to that.
    func closeListeners()
}
