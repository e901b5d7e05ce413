internal import Synchronization

// The flight recorder: its dumps, slow exchanges, long turns and stalls.
extension MetricsReport {
    mutating func flightRecorder(_ recorder: FlightRecorder) {
        func value(_ counter: borrowing Atomic<UInt64>) -> String { "\(counter.load(ordering: .relaxed))" }
        let counters = recorder.counters
        header(
            "flight_recorder_dumps_total", "Dumps of the flight recorder, by what they were made for.",
            "counter")
        sample("flight_recorder_dumps_total", Self.labels(["reason": "demand"]), value(counters.demanded))
        sample("flight_recorder_dumps_total", Self.labels(["reason": "slow"]), value(counters.slow))
        sample("flight_recorder_dumps_total", Self.labels(["reason": "stall"]), value(counters.stalls))
        metric(
            "flight_recorder_dumps_suppressed_total",
            "Dumps that were not made, as the last one was less than a second ago, or others waited to be written.",
            "counter", value(counters.suppressed))
        metric(
            "flight_recorder_write_failures_total", "Dumps whose file could not be written.", "counter",
            value(counters.failed))
        metric(
            "slow_exchanges_total",
            "Exchanges that took as long as flight_recorder.slow says, tunnels left out.",
            "counter",
            "\(recorder.lanes.reduce(into: UInt64(0)) { $0 += $1.slowCount.load(ordering: .relaxed) })")
        header("worker_long_turns_total", "Turns of workers that took a millisecond or more.", "counter")
        for (index, lane) in recorder.lanes.enumerated() {
            sample("worker_long_turns_total", Self.labels(["worker": "\(index)"]), value(lane.longTurns))
        }
        header("worker_longest_turn_seconds", "The longest turn of each worker so far.", "gauge")
        for (index, lane) in recorder.lanes.enumerated() {
            let longest = lane.longestTurn.load(ordering: .relaxed)
            sample(
                "worker_longest_turn_seconds", Self.labels(["worker": "\(index)"]),
                Self.seconds(UInt64(clamping: longest)))
        }
        stalls(counters.workers)
    }

    private mutating func stalls(_ workers: [FlightCounters.Stalls]) {
        header(
            "worker_stalls_total",
            "Turns over flight_recorder.stall: running computes, blocked waits in the kernel, preempted gets no CPU.",
            "counter")
        for (index, stalls) in workers.enumerated() {
            for cause in StallCause.allCases {
                sample(
                    "worker_stalls_total", Self.labels(["worker": "\(index)", "cause": cause.label]),
                    "\(stalls.counts[Int(cause.rawValue)])")
            }
        }
        header("worker_stalled_seconds_total", "Time in such turns.", "counter")
        for (index, stalls) in workers.enumerated() {
            sample(
                "worker_stalled_seconds_total", Self.labels(["worker": "\(index)"]),
                Self.seconds(UInt64(clamping: stalls.total)))
        }
        header("worker_longest_stall_seconds", "The longest such turn so far.", "gauge")
        for (index, stalls) in workers.enumerated() {
            sample(
                "worker_longest_stall_seconds", Self.labels(["worker": "\(index)"]),
                Self.seconds(UInt64(clamping: stalls.longest)))
        }
    }
}
