// The process, as client libraries of Prometheus tell of it.
extension MetricsReport {
    mutating func process(_ facts: ProcessFacts) {
        func each(_ name: String, _ help: String, _ type: String, _ value: (some CustomStringConvertible)?) {
            if let value { metric("process_\(name)", help, type, "\(value)") }
        }
        each("cpu_seconds_total", "CPU time of the process, of user and system.", "counter", facts.cpuSeconds)
        each(
            "start_time_seconds", "When the process began, in seconds since 1970.", "gauge",
            facts.startSeconds)
        each("threads", "Threads of the process.", "gauge", facts.threads)
        each("resident_memory_bytes", "Memory that is resident.", "gauge", facts.residentBytes)
        each("virtual_memory_bytes", "Address space.", "gauge", facts.virtualBytes)
        each("open_fds", "Open file descriptors.", "gauge", facts.openDescriptors)
        each("max_fds", "File descriptors that may be open.", "gauge", facts.mostDescriptors)
    }
}
