#if DEBUG || TESTABLE
    internal import Glibc
    internal import Simulation

    /// `simulate [--seed N [--verbose] [--fail K VARIANT]] [--first N] [--count N] [--step N] [--sweep N]`
    ///
    /// Without arguments the seeds 1 to 1000. A failure prints its seed, with which it happens again; exit status 1.
    @main struct Main {
        static func main() {
            let options = Options(CommandLine.arguments.dropFirst())
            if let seed = options.seed {
                unsafe CrashNote.seed = seed
                let result = Simulation(seed: seed, isVerbose: options.isVerbose, failing: options.failing)
                    .run()
                print(result)
                exit(result.violation == nil ? 0 : 1)
            }
            options.runMany()
        }
    }

    struct Options {
        var seed: UInt64?
        var isVerbose = false
        var first: UInt64 = 1
        var count: UInt64 = 1000
        var step: UInt64 = 1
        var failing: (operation: Int, variant: Int)?
        /// How many seeds to run with each operation failing in turn.
        var sweeps = false
        var keepsGoing = false

        init(_ arguments: ArraySlice<String>) {
            CrashNote.install()
            var rest = arguments
            func usage() -> Never {
                print(
                    "usage: simulate [--seed N [--verbose] [--fail OPERATION VARIANT]] [--first N] [--count N] [--step N] [--sweep] [--keep-going]"
                )
                exit(64)
            }
            func number() -> UInt64 {
                guard let text = rest.popFirst(), let number = UInt64(text) else { usage() }
                return number
            }
            while let argument = rest.popFirst() {
                switch argument {
                case "--seed": seed = number()
                case "--verbose": isVerbose = true
                case "--first": first = number()
                case "--count": count = number()
                case "--step": step = max(1, number())
                case "--fail": failing = (Int(number()), Int(number()))
                case "--sweep": sweeps = true
                case "--keep-going": keepsGoing = true
                default: usage()
                }
            }
        }

        func runMany() {
            var total = SimulationResult(seed: 0)
            var failures = 0
            var runs = 0
            func add(_ result: SimulationResult, _ how: String) {
                runs += 1
                total.operations += result.operations
                total.events += result.events
                total.turns += result.turns
                total.requests += result.requests
                total.answered += result.answered
                total.bytesSpliced += result.bytesSpliced
                total.mirrored += result.mirrored
                total.hedged += result.hedged
                total.sticky += result.sticky
                total.shed += result.shed
                total.placesAwaited += result.placesAwaited
                total.parented += result.parented
                total.tunnelsRefused += result.tunnelsRefused
                total.refusedByListeners += result.refusedByListeners
                total.finds += result.finds
                total.refusedByRoutes += result.refusedByRoutes
                total.handovers += result.handovers
                total.streams += result.streams
                if let violation = result.violation {
                    failures += 1
                    print("FAIL --seed \(result.seed)\(how): \(violation)")
                    if !keepsGoing { exit(1) }
                }
            }
            let started = clock()
            for place in 0..<count {
                let seed = first + place * step
                unsafe CrashNote.seed = seed
                unsafe CrashNote.operation = 0
                let result = Simulation(seed: seed).run()
                add(result, "")
                guard sweeps && result.violation == nil else { continue }
                // Of a very long run only as many as are worth the time.
                let stride = Swift.stride(
                    from: 1, through: result.operations, by: max(1, result.operations / 300))
                for operation in stride {
                    for variant in 0..<6 {
                        unsafe CrashNote.operation = UInt64(operation)
                        unsafe CrashNote.variant = UInt64(variant)
                        add(
                            Simulation(seed: seed, failing: (operation, variant)).run(),
                            " --fail \(operation) \(variant)")
                    }
                }
            }
            let seconds = Double(clock() - started) / Double(CLOCKS_PER_SEC)
            print(
                "\(runs) runs, \(failures) failures, \(Int(Double(runs) / max(seconds, 0.001))) runs per CPU second; \(total.requests) requests (\(total.answered) answered), \(total.operations) operations, \(total.turns) turns, \(total.events) events, \(total.bytesSpliced >> 10) KiB spliced, \(total.mirrored) mirrored, \(total.hedged) hedged, \(total.sticky) cookies, \(total.shed) shed, \(total.placesAwaited) waits for a connection, \(total.parented) through parents, \(total.tunnelsRefused) tunnels refused, \(total.refusedByListeners) too many for listeners, \(total.finds) finds, \(total.refusedByRoutes) refused by routes, \(total.handovers) handovers, \(total.streams) streams"
            )
            exit(failures == 0 ? 0 : 1)
        }
    }

    /// Says which run it was when a precondition ends the process.
    enum CrashNote {
        nonisolated(unsafe) static var seed: UInt64 = 0
        nonisolated(unsafe) static var operation: UInt64 = 0
        nonisolated(unsafe) static var variant: UInt64 = 0

        static func install() {
            for number in [SIGILL, SIGTRAP, SIGSEGV, SIGABRT, SIGBUS] {
                signal(number) { number in
                    CrashNote.write("CRASH --seed ")
                    unsafe CrashNote.write(CrashNote.seed)
                    if unsafe CrashNote.operation > 0 {
                        CrashNote.write(" --fail ")
                        unsafe CrashNote.write(CrashNote.operation)
                        CrashNote.write(" ")
                        unsafe CrashNote.write(CrashNote.variant)
                    }
                    CrashNote.write("\n")
                    signal(number, SIG_DFL)
                    raise(number)
                }
            }
        }

        private static func write(_ text: StaticString) {
            unsafe _ = Glibc.write(2, text.utf8Start, text.utf8CodeUnitCount)
        }

        private static func write(_ number: UInt64) {
            var digits = InlineArray<20, UInt8>(repeating: 0x30)
            var place = 20
            var left = number
            repeat {
                place -= 1
                digits[place] = 0x30 + UInt8(left % 10)
                left /= 10
            } while left > 0
            unsafe withUnsafeBytes(of: digits) {
                unsafe _ = Glibc.write(2, $0.baseAddress! + place, 20 - place)
            }
        }
    }
#else
    @main struct Main {
        static func main() { print("built without what it tests: use scripts/simulate") }
    }
#endif
