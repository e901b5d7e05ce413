internal import CPosix

/// The service manager that started this process, if one did: systemd, or whatever else speaks its protocol (sd_notify(3):
/// datagrams to the unix socket in `NOTIFY_SOCKET`).
public struct ServiceManager: Sendable {
    /// nil: nobody wants to know.
    private let socketPath: String?
    /// Between two signs of life, half of what the manager allows; nil: it wants none.
    public let watchdogInterval: Nanoseconds?

    /// Nobody who wants to know.
    public static var absent: ServiceManager { ServiceManager(environment: { _ in nil }, processID: 0) }

    /// - Parameters:
    ///   - environment: the value of an environment variable; nil if it is not set.
    ///   - processID: of this process. A watchdog is meant for the process that `WATCHDOG_PID` names.
    init(environment: (String) -> String?, processID: Int32) {
        let path = environment("NOTIFY_SOCKET")
        socketPath = path.flatMap { $0.hasPrefix("/") || $0.hasPrefix("@") ? $0 : nil }
        let isMeant = environment("WATCHDOG_PID").map { Int32($0) == processID } ?? true
        let microseconds = environment("WATCHDOG_USEC").flatMap { Int64($0) } ?? 0
        let isWanted = isMeant && microseconds > 0 && microseconds < Int64.max / 1000
        watchdogInterval = isWanted ? Nanoseconds(microseconds * 500) : nil
    }

    /// This process's.
    public static func ofThisProcess() -> ServiceManager {
        ServiceManager(environment: environmentVariable, processID: getpid())
    }

    /// All listeners are open and all workers serve.
    public func ready(_ status: String) { tell("READY=1\nSTATUS=\(status)") }

    /// The configuration is read again; `ready` follows, whatever comes of it.
    public func reloading() {
        tell("RELOADING=1\nMONOTONIC_USEC=\(cposix_monotonic_nanoseconds() / 1000)")
    }

    /// No new connection is taken any more.
    ///
    /// - Parameter timeout: until when the end may take; the manager would kill what takes longer than its own.
    public func stopping(timeout: Nanoseconds, _ status: String) {
        let extra = timeout.isOn ? "\nEXTEND_TIMEOUT_USEC=\(timeout.rawValue / 1000 + 5_000_000)" : ""
        tell("STOPPING=1\nSTATUS=\(status)\(extra)")
    }

    /// This process is replaced by another one of the service, who has all further words.
    public func successor(_ process: Int32) { tell("MAINPID=\(process)") }

    public func alive() { tell("WATCHDOG=1") }

    private func tell(_ text: String) {
        guard let socketPath else { return }
        let bytes = Array(text.utf8)
        // A manager that cannot be told will act on its own; there is nobody else to tell.
        unsafe bytes.withUnsafeBytes { unsafe _ = cposix_notify(socketPath, $0.baseAddress, $0.count) }
    }
}
