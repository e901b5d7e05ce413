internal import Synchronization

// The access log: what became of its records.
extension MetricsReport {
    mutating func accessLog(_ writer: AccessLogWriter) {
        func value(_ counter: borrowing Atomic<UInt64>) -> String { "\(counter.load(ordering: .relaxed))" }
        let counters = writer.counters
        metric(
            "access_log_records_total", "Records of the access log that its destination has taken.",
            "counter",
            value(counters.records))
        metric(
            "access_log_dropped_total",
            "Records that it has not got: there was no room in a worker's ring (access_log.buffer), or it did not take them.",
            "counter", "\(writer.droppedCount)")
        metric("access_log_bytes_total", "Bytes written to it.", "counter", value(counters.bytes))
        metric(
            "access_log_write_failures_total", "Attempts to write to it that failed.", "counter",
            value(counters.writeFailures))
        metric(
            "access_log_rotations_total", "Log files that were renamed for their size or age.", "counter",
            value(counters.rotations))
        metric(
            "access_log_reopens_total", "Log files that were opened anew (SIGUSR1).", "counter",
            value(counters.reopens))
    }
}
