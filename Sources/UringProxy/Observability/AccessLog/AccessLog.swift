internal import Synchronization

/// The access log as one configuration wants it. A reload that changes the configuration makes another one; workers go over to that one
/// after the other, and what they have published before is written as it was wanted then.
final class AccessLog: Sendable {
    let configuration: AccessLogConfiguration
    let plan: AccessLogPlan
    let format: AccessLogFormat
    let redaction: AccessLogRedaction
    let output: AccessLogOutput
    /// Whether all workers have left it; nil: they have not been told to.
    private let left = Mutex<(@Sendable () -> Bool)?>(nil)

    /// - Parameters:
    ///   - configuration: it has been checked.
    ///   - present: the one in use; its destination is shared where it is the same.
    init(
        _ configuration: AccessLogConfiguration, workers: Int, bell: AccessLogBell, log: DiagnosticLog,
        beside present: AccessLog?
    ) throws(AccessLogError) {
        let destination: AccessLogDestination
        let format: AccessLogFormat
        do throws(OptionSyntaxError) {
            destination = try AccessLogDestination(parsing: configuration.to)
            format = try AccessLogFormat(parsing: configuration.format)
        } catch {
            throw AccessLogError(message: "access_log: \(error.message)")
        }
        let identity = AccessLogOutput.Identity(
            destination: destination, isBinary: format.isBinary, rotation: configuration.rotation)
        if let present, present.output.identity == identity {
            output = present.output
        } else {
            output = AccessLogOutput(
                identity: identity, sink: try Self.sink(configuration.to, identity, log))
        }
        self.configuration = configuration
        self.format = format
        redaction = AccessLogRedaction(
            query: configuration.redactedQuery, fields: configuration.redactedFields)
        plan = AccessLogPlan(
            sample: UInt32(clamping: configuration.sample), rate: UInt32(clamping: configuration.rate),
            slow: configuration.slow.isOn ? configuration.slow.rawValue : .max,
            keepsErrors: configuration.keepErrors,
            requestFields: Self.names(configuration.requestFields + format.requestFields),
            responseFields: Self.names(configuration.responseFields + format.responseFields),
            recordSize: configuration.recordBytes / 8 * 8, workers: workers,
            capacity: Self.capacity(configuration.bufferBytes), waits: configuration.whenFull == .wait,
            bell: bell)
    }

    private static func sink(
        _ name: String, _ identity: AccessLogOutput.Identity, _ log: DiagnosticLog
    ) throws(AccessLogError) -> any AccessLogSink {
        let isBinary = identity.isBinary
        switch identity.destination {
        case .file(let path):
            let rotation = identity.rotation.map {
                AccessLogRotation(
                    sizeBytes: Int64(clamping: $0.sizeBytes), everySeconds: $0.every.rawValue / 1_000_000_000,
                    keep: $0.keep)
            }
            return try AccessLogFileSink(path: path, isBinary: isBinary, rotation: rotation, log: log)
        case .standardOutput: return try AccessLogStandardSink(isError: false, isBinary: isBinary)
        case .standardError: return try AccessLogStandardSink(isError: true, isBinary: isBinary)
        case .syslog(let path):
            let bytes = Array(path.utf8)
            guard let address = unsafe bytes.withUnsafeBytes({ unsafe SocketAddress(unixPath: ByteView($0)) })
            else {
                throw AccessLogError(
                    message: "access_log.to \(name): it is no path of a socket; use a shorter one")
            }
            return try AccessLogSyslogSink(name: name, address: address)
        case .remoteSyslog(let address): return try AccessLogSyslogSink(name: name, address: address)
        case .journal: return try AccessLogJournalSink()
        }
    }

    /// Each once, in lower case.
    private static func names(_ names: [String]) -> [[UInt8]] {
        var seen: Set<String> = []
        return names.map { $0.lowercased() }.filter { seen.insert($0).inserted }.map { Array($0.utf8) }
    }

    private static func capacity(_ bytes: Int) -> Int {
        var capacity = 64 << 10
        while capacity < bytes { capacity *= 2 }
        return capacity
    }

    // MARK: - Its end

    /// Workers are told to leave it.
    ///
    /// - Parameter isLeft: whether all of them have.
    func leave(_ isLeft: @escaping @Sendable () -> Bool) {
        left.withLock { $0 = isLeft }
        for lane in plan.lanes { lane.leave() }
    }

    var isBeingLeft: Bool { left.withLock { $0 != nil } }

    /// Whether no worker will publish anything more.
    var isLeft: Bool { left.withLock { $0 }?() ?? false }

    /// What has found no room so far.
    var droppedCount: UInt64 { plan.lanes.reduce(into: 0) { $0 += $1.ring.droppedCount } }
}
