internal import CPosix
internal import Glibc

/// Runs micro-benchmarks: timed, or for callgrind to count their instructions.
///
///     Micro [NAME…]        nanoseconds of those whose names begin so, or of all: the best of 30 rounds; then what tables
///                          take of memory
///     Micro --count        one line for each: name, repetitions, allocations in so many
///
/// When counting, each benchmark runs between three calls of `boundary`, at which callgrind writes what it has counted
/// (`--dump-before`): first so many repetitions, then twice as many. The difference is free of set-up.
@main
enum Main {
    private static let timedCount = 20_000
    private static let countedCount = 1000

    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        if arguments.first == "--count" {
            for benchmark in MicroBenchmark.all { count(benchmark) }
            return
        }
        func isAsked(_ name: String) -> Bool {
            arguments.isEmpty || arguments.contains(where: { name.hasPrefix($0) })
        }
        for benchmark in MicroBenchmark.all where isAsked(benchmark.name) { time(benchmark) }
        for footprint in Footprint.all where isAsked(footprint.name) {
            let bytes = footprint.measure()
            print("\(footprint.name): \(bytes >> 10) KiB, \(bytes / footprint.parts) bytes each")
        }
    }

    private static func time(_ benchmark: MicroBenchmark) {
        var best = Int64.max
        for _ in 0..<30 {
            let start = cposix_monotonic_nanoseconds()
            use(benchmark.run(timedCount))
            best = min(best, cposix_monotonic_nanoseconds() - start)
        }
        print("\(benchmark.name): \(Double(best / Int64(timedCount / 10)) / 10) ns")
    }

    private static func count(_ benchmark: MicroBenchmark) {
        use(benchmark.run(countedCount))
        let first = allocations()
        boundary()
        use(benchmark.run(countedCount))
        boundary()
        let second = allocations()
        use(benchmark.run(2 * countedCount))
        boundary()
        print("\(benchmark.name)\t\(countedCount)\t\(allocations() - second - (second - first))")
    }

    /// Calls of the allocator so far, if Tests/Allocations/count.c is preloaded; else 0.
    private static func allocations() -> Int {
        counter.map { Int($0()) } ?? 0
    }

    // Looked up once, or the look-up would be counted.
    private static let counter = dlsym(nil, "allocation_count").map {
        unsafeBitCast($0, to: (@convention(c) () -> UInt).self)
    }

    nonisolated(unsafe) private static var used = 0

    @inline(never)
    private static func use(_ result: Int) { used &+= result }
}

/// Where callgrind ends one count and begins the next. It does something, so that no call is optimised away.
@inline(never)
func boundary() { boundaries &+= 1 }

nonisolated(unsafe) private var boundaries = 0
