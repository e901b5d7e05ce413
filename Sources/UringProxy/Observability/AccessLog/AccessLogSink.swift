/// Where records end up. All but its making is for the writer's thread alone.
protocol AccessLogSink: AnyObject {
    /// For the diagnostic log.
    var name: String { get }

    /// What stands in front of a record, if it takes messages.
    func begin(_ record: borrowing AccessRecord, in bytes: inout [UInt8])

    /// Writes of a batch what it can without waiting.
    ///
    /// - Returns: `.done` if that was all.
    func write(_ batch: inout AccessLogBatch, _ counters: AccessLogCounters) -> AccessLogOutcome

    /// Opens what can be opened anew, where it still is what has its name.
    ///
    func reopen() -> AccessLogReopening
}

/// What has come of opening a destination anew.
enum AccessLogReopening: Equatable {
    /// It is what it was.
    case same
    /// What follows goes elsewhere.
    case another
    /// It goes on as before.
    case failed(errno: Int32)
}

/// How far a sink has come.
enum AccessLogOutcome: Equatable {
    case done
    /// There is no room in the descriptor.
    case isFull(descriptor: Int32)
    /// It may work later.
    case failed(errno: Int32)
}

extension AccessLogSink {
    func begin(_ record: borrowing AccessRecord, in bytes: inout [UInt8]) {}
    func reopen() -> AccessLogReopening { .same }
}
