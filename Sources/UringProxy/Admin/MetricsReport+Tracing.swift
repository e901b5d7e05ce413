internal import Synchronization

// Traces: what became of their spans.
extension MetricsReport {
    mutating func tracing(_ exporter: TraceExporter) {
        func value(_ counter: borrowing Atomic<UInt64>) -> String { "\(counter.load(ordering: .relaxed))" }
        let counters = exporter.counters
        let name = "trace_spans_total"
        header(
            name,
            "Spans by what became of them: exported; rejected, as the collector says; failed, as it could not be reached as often as it was tried; dropped, for want of room (tracing.otlp.queue) or of time at the end.",
            "counter")
        sample(name, "result=\"exported\"", value(counters.exported))
        sample(name, "result=\"rejected\"", value(counters.rejected))
        sample(name, "result=\"failed\"", value(counters.failed))
        sample(name, "result=\"dropped\"", "\(exporter.droppedCount)")
        metric("trace_spans_waiting", "Spans that wait to be exported.", "gauge", value(counters.waiting))
        metric(
            "trace_export_requests_total", "Requests to the collector.", "counter", value(counters.requests))
        metric(
            "trace_export_failures_total", "Of them, those that it did not take.", "counter",
            value(counters.failures))
    }
}
