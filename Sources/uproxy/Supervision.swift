internal import ArgumentParser
internal import CPosix
internal import Synchronization
internal import UringProxy

/// What supervision needs of a running server or origin.
struct Service: Sendable {
    /// Stops taking new work; returns at once.
    let drain: @Sendable () -> Void
    /// Ends what is still running; returns at once.
    let stop: @Sendable () -> Void
    /// Returns when all workers have ended.
    let wait: @Sendable () -> Void
    /// Whether no thread has hung for longer than this.
    let isAlive: @Sendable (_ patience: Nanoseconds) -> Bool
    let timeoutDrain: @Sendable () -> Nanoseconds
    /// Reads the configuration again; nil if there is no file to read, and a hang-up means that the terminal has gone.
    let reload: (@Sendable () -> ReloadOutcome)?
}

/// Before any thread is started: all of them inherit the mask, and signals reach `superviseUntilExit` alone.
func blockSignals() { cposix_block_signals() }

/// Prints the start-up lines, then lives as long as the service: the first signal drains, the second ends at once.
func superviseUntilExit(_ service: Service, summary: [String]) -> Never {
    for line in summary { printError("uproxy: \(line)") }
    let waiter = Waiter(service: service)
    var thread = pthread_t()
    let argument = unsafe Unmanaged.passRetained(waiter).toOpaque()
    let started = unsafe cposix_start_thread(&thread, { unsafe Waiter.run($0) }, argument)
    guard started == 0 else {
        printError(
            "uproxy: a thread could not be started (errno \(-started)); raise the limit of processes (ulimit -u)"
        )
        exit(1)
    }

    let manager = ServiceManager.ofThisProcess()
    manager.ready(summary.joined(separator: "; "))
    let first = waitForEnd(service, manager)
    waiter.isDraining.store(true, ordering: .releasing)
    let timeout = service.timeoutDrain()
    let deadline = timeout.isOn ? "for at most \(timeout)" : "without a deadline"
    printError("uproxy: \(name(of: first)), draining \(deadline); a second signal ends at once")
    manager.stopping(timeout: timeout, "draining \(deadline)")
    service.drain()
    let second = waitForSignal(
        within: timeout.isOn ? timeout.rawValue : nil, service, manager)
    if second != 0 { _exit(128 + second) }
    printError("uproxy: the drain's deadline has passed; ending what still runs")
    service.stop()
    _exit(128 + cposix_wait_for_signal())  // The waiter exits with 0 as soon as the workers have ended.
}

/// The signal to end with. Until it comes a hang-up reloads.
private func waitForEnd(_ service: Service, _ manager: ServiceManager) -> Int32 {
    while true {
        let signal = waitForSignal(within: nil, service, manager)
        guard signal == SIGHUP, let reload = service.reload else { return signal }
        manager.reloading()
        manager.ready(reload().lines.last ?? "")
    }
}

/// Longer than a worker with nothing to do sleeps, and than any turn should take.
private let leastPatience = Nanoseconds.seconds(3)

/// The signal that comes, or 0 when `nanoseconds` have passed without one; meanwhile a service manager that wants signs of life
/// gets them, as long as no worker hangs.
private func waitForSignal(
    within nanoseconds: Int64?, _ service: Service, _ manager: ServiceManager
) -> Int32 {
    guard let interval = manager.watchdogInterval else {
        return nanoseconds.map { cposix_wait_for_signal_within($0) } ?? cposix_wait_for_signal()
    }
    let patience = max(interval, leastPatience)
    var rest = nanoseconds ?? .max
    while rest > 0 {
        if service.isAlive(patience) {
            manager.alive()
        } else {
            printError(
                "uproxy: a worker has taken no turn for \(patience); the watchdog gets no sign of life")
        }
        let signal = cposix_wait_for_signal_within(min(interval.rawValue, rest))
        if signal != 0 { return signal }
        if nanoseconds != nil { rest -= interval.rawValue }
    }
    return 0
}

/// The thread that outlives the workers, and exits with what their end means.
private final class Waiter: Sendable {
    let service: Service
    let isDraining = Atomic(false)

    init(service: Service) { self.service = service }

    static func run(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let argument = unsafe argument else { return nil }
        let waiter = unsafe Unmanaged<Waiter>.fromOpaque(argument).takeRetainedValue()
        waiter.service.wait()
        if waiter.isDraining.load(ordering: .acquiring) { exit(0) }
        printError("uproxy: all workers have ended without being told to")
        exit(1)
    }
}

private func name(of signal: Int32) -> String {
    switch signal {
    case SIGTERM: "SIGTERM"
    case SIGHUP: "SIGHUP"
    default: "SIGINT"
    }
}

/// A runtime failure, told in one line; the error ends the process with 1.
func fail(_ error: StartError) -> ExitCode {
    printError("uproxy: \(error.message)")
    return ExitCode(1)
}

/// A line to the standard error, in one write.
func printError(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = unsafe bytes.withUnsafeBytes { unsafe cposix_write(2, $0.baseAddress, $0.count) }
}
