internal import CLoad
internal import CPosix

/// The benchmarks' load generator: `load --help`.
@main
enum Load {
    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.contains("--help") || arguments.contains("-h") {
            print(help)
            return
        }
        do {
            exit(try run(Options(arguments)) == 0 ? 0 : 1)
        } catch {
            say("load: \(error.message)\nload --help tells what there is")
            exit(64)
        }
    }

    /// - Returns: the number of errors.
    private static func run(_ options: Options) throws(UsageError) -> Int {
        cposix_block_signals()
        var limit: UInt64 = 0
        unsafe _ = cposix_raise_nofile(&limit)
        // Some descriptors are not connections: standard streams, epoll, the body.
        if options.connections + 16 > limit {
            throw UsageError(
                "\(options.connections) connections exceed the limit of \(limit) descriptors (ulimit -Hn)")
        }
        switch options.mode {
        case .closed, .open:
            var generator = try Generator(options)
            if options.mode == .open { cload_make_timers_precise() }
            generator.run()
            show(Report.of(generator))
            return generator.tally.failed
        case .idle:
            var generator = try Generator(options)
            generator.runIdle { show(Report.ready($0, $1, $2)) }
            show(Report.ofIdle(generator))
            return generator.tally.failed
        case .slow:
            var run = try SlowRun(options)
            run.run { show(Report.ready($0, $1, $2)) }
            show(Report.ofSlow(run, options))
            return run.tally.failed
        }
    }

    private static func show(_ object: JSONObject) {
        print(object.text)
        unsafe _ = fflush(cposix_stdout())
    }

    private static func say(_ text: String) { unsafe _ = fputs(text + "\n", cposix_stderr()) }
}
