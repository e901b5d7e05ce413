import Testing

@testable import UringProxy

@Suite struct ProcessFactsTests {
    private let files = [
        "/proc/self/stat":
            "77 (up) roxy) S 1 77 77 0 -1 4194560 900 0 0 0 1234 66 0 0 20 0 5 0 250075 1000 50 184467 1 1 0\n",
        "/proc/stat": "cpu  1 2 3\nctxt 5\nbtime 1700000000\nprocesses 9\n",
        "/proc/self/status":
            "Name:\tup) roxy\nVmPeak:\t 9 kB\nVmSize:\t  2048 kB\nVmRSS:\t  512 kB\nThreads:\t5\n",
        "/proc/self/limits":
            "Limit                     Soft Limit           Hard Limit           Units     \nMax open files            1024                 4096                 files     \n",
    ]

    @Test func theyAreReadFromProcfs() {
        let facts = ProcessFacts(files: TextFiles { files[$0] })
        #expect(facts.cpuSeconds == 13)
        #expect(facts.startSeconds == 1_700_002_500.75)
        #expect(facts.threads == 5)
        #expect(facts.virtualBytes == 2 << 20)
        #expect(facts.residentBytes == 512 << 10)
        #expect(facts.mostDescriptors == 1024)
    }

    @Test func whatCannotBeReadIsLeftOut() {
        let facts = ProcessFacts(files: TextFiles { _ in nil })
        #expect(facts.cpuSeconds == nil && facts.startSeconds == nil && facts.residentBytes == nil)
        var report = MetricsReport()
        report.process(facts)
        #expect(!report.text.contains("process_cpu_seconds_total"))
        #expect(report.text.contains("\nprocess_open_fds "))
        let cut = ProcessFacts(files: TextFiles { $0 == "/proc/self/stat" ? "77 (a) S 1" : "x" })
        #expect(cut.cpuSeconds == nil && cut.threads == nil)
    }

    @Test func thisProcessIsRunning() throws {
        let facts = ProcessFacts(files: .system)
        #expect(try #require(facts.residentBytes) > 1 << 20)
        #expect(try #require(facts.virtualBytes) > facts.residentBytes!)
        #expect(try #require(facts.openDescriptors) >= 3)
        #expect(try #require(facts.startSeconds) > 1_600_000_000)
        #expect(try #require(facts.threads) >= 1)
        #expect(facts.cpuSeconds != nil && facts.mostDescriptors != nil)
    }
}
