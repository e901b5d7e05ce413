internal import Synchronization

/// How things stand with a worker, as of its last turn: written by it alone, read by anybody.
final class Gauges: Sendable {
    let downstreamConnections = Atomic<Int>(0)
    /// Requests of HTTP/2 connections.
    let streams = Atomic<Int>(0)
    let connections = Atomic<Int>(0)
    let exchanges = Atomic<Int>(0)
    /// Listeners, and what connections still need of those that have gone.
    let listeners = Atomic<Int>(0)
    /// Connections that have a session of TLS.
    let tlsSessions = Atomic<Int>(0)
    let leasedBytes = Atomic<Int>(0)
    let peakLeasedBytes = Atomic<Int>(0)
    let turns = Atomic<UInt64>(0)
    let completions = Atomic<UInt64>(0)
    let shortSends = Atomic<UInt64>(0)
    let splices = Atomic<UInt64>(0)
    let slicesExhausted = Atomic<UInt64>(0)
    let completionOverflows = Atomic<UInt64>(0)
    let entryFailures = Atomic<UInt64>(0)
    let spins = Atomic<UInt64>(0)
    let spinsPaid = Atomic<UInt64>(0)
    let spinNanoseconds = Atomic<UInt64>(0)
}
