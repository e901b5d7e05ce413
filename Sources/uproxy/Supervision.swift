internal import ArgumentParser
internal import CPosix
internal import Synchronization
internal import UringProxy

/// What supervision needs of a running server or origin.
struct Service: Sendable {
    /// Lets `/ready` say that no more work is wanted.
    let turnAway: @Sendable () -> Void
    /// Stops taking new work; returns at once.
    let drain: @Sendable () -> Void
    /// Ends what is still running; returns at once.
    let stop: @Sendable () -> Void
    /// Returns when all workers have ended.
    let wait: @Sendable () -> Void
    /// Whether no thread has hung for longer than this.
    let isAlive: @Sendable (_ patience: Nanoseconds) -> Bool
    let timeoutDrain: @Sendable () -> Nanoseconds
    /// Between `turnAway` and `drain`.
    let drainDelay: @Sendable () -> Nanoseconds
    /// Reads the configuration again; nil if there is no file to read, and a hang-up means that the terminal has gone.
    let reload: (@Sendable () -> ReloadOutcome)?
    /// Opens logs anew; whether there are any.
    let reopenLogs: @Sendable () -> Bool
    /// nil: it is not to be replaced while it runs.
    let upgrades: Upgrades?
}

/// Before any thread is started: all of them inherit the mask, and signals reach `superviseUntilExit` alone.
func blockSignals() { cposix_block_signals() }

/// Prints the start-up lines, then lives as long as the service: the first signal drains, the second ends at once. SIGUSR2 asks
/// for an upgrade, after which this process drains too.
func superviseUntilExit(_ service: Service, summary: [String]) -> Never {
    for line in summary { printError("uproxy: \(line)") }
    let waiter = Waiter(service: service)
    // It outlives the workers, and is joined by nobody.
    do throws(SystemCallError) { try SystemThread().start { waiter.run() } } catch {
        printError(
            "uproxy: \(error.message): no thread to wait for the workers; raise the limit of processes (ulimit -u)"
        )
        exit(1)
    }

    let manager = ServiceManager.ofThisProcess()
    manager.ready(summary.joined(separator: "; "))
    let first = waitForEnd(service, manager)
    // As a reload may have changed them.
    let (timeout, delay) = (service.timeoutDrain(), service.drainDelay())
    let deadline = timeout.isOn ? "for at most \(timeout)" : "without a deadline"
    // An upgrade that is not done yet is given up; one that is done just now stands.
    if first != SIGUSR2 { service.upgrades?.abandon() }
    waiter.isDraining.store(true, ordering: .releasing)
    if let upgrades = service.upgrades, let successor = upgrades.successor {
        printError("uproxy: process \(successor) has taken over, draining \(deadline); a signal ends at once")
        manager.successor(successor)
        upgrades.drain()
        finishDrain(service, .absent, timeout)
    }
    service.turnAway()
    if delay.isOn {
        printError(
            "uproxy: \(name(of: first)), not ready any more, draining in \(delay); a second signal ends at once"
        )
        manager.stopping(timeout: delay, "not ready any more")
        let second = waitForEnd(within: delay.rawValue, service, manager)
        if second != 0 { _exit(128 + second) }
        printError("uproxy: draining \(deadline); a signal ends at once")
    } else {
        printError("uproxy: \(name(of: first)), draining \(deadline); a second signal ends at once")
    }
    manager.stopping(timeout: timeout, "draining \(deadline)")
    service.drain()
    finishDrain(service, manager, timeout)
}

/// What has begun to drain comes to an end.
private func finishDrain(_ service: Service, _ manager: ServiceManager, _ timeout: Nanoseconds) -> Never {
    let second = waitForEnd(
        within: timeout.isOn ? timeout.rawValue : nil, service, manager)
    if second != 0 { _exit(128 + second) }
    printError("uproxy: the drain's deadline has passed; ending what still runs")
    service.stop()
    // The waiter exits with 0 as soon as the workers have ended.
    _exit(128 + waitForEnd(within: nil, service, .absent))
}

/// The signal to end with; SIGUSR2 if that is because a successor has taken over. Until then it reloads and begins upgrades
/// when asked to.
private func waitForEnd(_ service: Service, _ manager: ServiceManager) -> Int32 {
    while true {
        let (signal, sender) = waitForSignal(within: nil, service, manager)
        if signal == SIGHUP, let reload = service.reload {
            manager.reloading()
            manager.ready(reload().lines.last ?? "")
            continue
        }
        if signal == SIGUSR1 {
            reopenLogs(service)
            continue
        }
        guard signal == SIGUSR2 else { return signal }
        guard let upgrades = service.upgrades else {
            printError("uproxy: SIGUSR2, and this is nothing to upgrade")
            continue
        }
        if upgrades.successor != nil { return signal }
        upgrades.request(by: sender)
    }
}

/// The signal to end with, or 0 when `nanoseconds` have passed without one. It is too late for upgrades and
/// reloads.
private func waitForEnd(within nanoseconds: Int64?, _ service: Service, _ manager: ServiceManager) -> Int32 {
    let end = nanoseconds.map { cposix_monotonic_nanoseconds() + $0 }
    while true {
        let rest = end.map { max($0 - cposix_monotonic_nanoseconds(), 0) }
        let (signal, sender) = waitForSignal(within: rest, service, manager)
        switch signal {
        case SIGUSR1: reopenLogs(service)
        case SIGUSR2: Upgrades.answer(sender, "failed\0it is draining already")
        case SIGHUP where service.reload != nil:
            printError("uproxy: SIGHUP, and it is draining: nothing is reloaded")
        default: return signal
        }
    }
}

private func reopenLogs(_ service: Service) {
    if !service.reopenLogs() { printError("uproxy: SIGUSR1, and there is no log to open anew") }
}

/// Longer than a worker with nothing to do sleeps, and than any turn should take.
private let leastPatience = Nanoseconds.seconds(3)

/// The signal that comes, or 0 when `nanoseconds` have passed without one; meanwhile a service manager that wants signs of life
/// gets them, as long as no worker hangs.
private func waitForSignal(
    within nanoseconds: Int64?, _ service: Service, _ manager: ServiceManager
) -> (signal: Int32, sender: Int32) {
    var sender: Int32 = 0
    guard let interval = manager.watchdogInterval else {
        let signal = unsafe cposix_wait_for_signal(nanoseconds ?? -1, &sender)
        return (signal, sender)
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
        let signal = unsafe cposix_wait_for_signal(min(interval.rawValue, rest), &sender)
        if signal != 0 { return (signal, sender) }
        if nanoseconds != nil { rest -= interval.rawValue }
    }
    return (0, 0)
}

/// The thread that outlives the workers, and exits with what their end means.
private final class Waiter: Sendable {
    let service: Service
    let isDraining = Atomic(false)

    init(service: Service) { self.service = service }

    func run() {
        service.wait()
        if isDraining.load(ordering: .acquiring) { exit(0) }
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
    Predecessor.ofThisProcess?.refuse(error.message)
    return ExitCode(1)
}

/// A line to the standard error, in one write.
func printError(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = unsafe bytes.withUnsafeBytes { unsafe cposix_write(2, $0.baseAddress, $0.count) }
}
