// What every event is counted with.
extension MicroBenchmark {
    static var counting: [MicroBenchmark] {
        [
            MicroBenchmark(name: "counters: add") { count in
                let counters = Counters()
                defer { counters.destroy() }
                for index in 0..<count { counters.add(.bytesSentDownstream, UInt64(index)) }
                return Int(truncatingIfNeeded: counters[.bytesSentDownstream])
            }
        ]
    }
}
