import CPosix
import Synchronization
import TestSupport
import Testing

@testable import UringProxy

@Suite("Workers that hang")
struct StallTests {
    @Test("A worker that ends turns, or sleeps, is fine however long")
    func fine() {
        var watch = StallWatch(budget: 30, interval: 10)
        for time in 0..<100 {
            #expect(watch.look(sleeps: false, turns: UInt64(time), now: Int64(time * 10)) { 0 } == .nothing)
        }
        for time in 100..<200 {
            #expect(watch.look(sleeps: true, turns: 99, now: Int64(time * 10)) { 0 } == .nothing)
        }
        // It wakes now and then, within one look and the next.
        for time in 200..<300 {
            #expect(watch.look(sleeps: time % 2 == 0, turns: 99, now: Int64(time * 10)) { 0 } == .nothing)
        }
    }

    @Test("One that is awake in the same turn for its budget hangs, until it ends the turn or sleeps")
    func hangs() {
        for sleepsThen in [false, true] {
            var watch = StallWatch(budget: 30, interval: 10)
            _ = watch.look(sleeps: true, turns: 7, now: 0) { 0 }
            #expect(watch.look(sleeps: false, turns: 7, now: 10) { 5 } == .nothing)
            #expect(watch.look(sleeps: false, turns: 7, now: 20) { 9 } == .nothing)
            #expect(watch.look(sleeps: false, turns: 7, now: 30) { 9 } == .began(since: 10))
            #expect(watch.cpuUsed(22) == 17)
            #expect(watch.look(sleeps: false, turns: 7, now: 40) { 9 } == .goesOn(since: 10))
            let turns: UInt64 = sleepsThen ? 7 : 8
            #expect(watch.look(sleeps: sleepsThen, turns: turns, now: 60) { 9 } == .ended(duration: 50))
            #expect(watch.look(sleeps: sleepsThen, turns: turns, now: 70) { 9 } == .nothing)
        }
    }

    @Test("What keeps it is told by what CPU it had, and what it waits in")
    func causes() {
        let (running, sleeping) = (UInt8(ascii: "R"), UInt8(ascii: "S"))
        #expect(StallCause(elapsed: 40, cpu: 39, state: running) == .running)
        #expect(StallCause(elapsed: 40, cpu: 3, state: running) == .preempted)
        #expect(StallCause(elapsed: 40, cpu: 3, state: sleeping) == .blocked)
        #expect(StallCause(elapsed: 40, cpu: 3, state: UInt8(ascii: "D")) == .blocked)
    }

    @Test("Names of functions are told without what the compiler adds")
    func names() {
        #expect(
            FunctionNames.shortened("UringProxy.Engine.received(Swift.UInt32, UringProxy.Completion) -> ()")
                == "Engine.received")
        #expect(
            FunctionNames.shortened(
                "generic specialization <UringProxy.UringDriver> of UringProxy.Engine.handle(UringProxy.Completion) -> ()"
            )
                == "Engine.handle")
        #expect(
            FunctionNames.shortened(
                "(extension in UringProxy):UringProxy.Engine< where A: ~Swift.Copyable>.(publish in _0123ABCD)(_: inout UringProxy.AccessRecord) -> ()"
            )
                == "Engine.publish")
        #expect(
            FunctionNames.shortened("UringProxy.AccessLogLane.(awaitRoom in _0123ABCD)(Swift.Int) -> ()")
                == "AccessLogLane.awaitRoom")
        #expect(
            FunctionNames.shortened("closure #1 @Sendable () -> () in UringProxy.Worker.run<A>(A) -> ()")
                == "closure in Worker.run")
        #expect(FunctionNames.demangled("pcre2_match_8") == "pcre2_match_8")
        #expect(FunctionNames.demangled("$s10UringProxy12SystemThreadC4joinyyF") == "SystemThread.join")
    }

    @Test("A handler that takes 50 ms is told of once, with its name, and leaves a dump")
    func injected() throws {
        let directory = try TemporaryDirectory()
        let lines = Mutex<[String]>([])
        let told = try Latch()
        var configuration = FlightRecorderConfiguration()
        configuration.directory = directory.path
        let recorder = try FlightRecorder(
            configuration, workers: 1, version: "test",
            log: DiagnosticLog { line in
                lines.withLock { $0.append(line) }
                told.open()
            })
        recorder.use(configuration)
        try recorder.start()
        let wakeup = try Wakeup()
        let gauges = Gauges()
        let pulse = WorkerPulse(index: 0, wakeup: wakeup, gauges: gauges)
        recorder.follow([pulse])
        let isDone = Atomic(false)
        let thread = SystemThread()
        try thread.start("worker-0") {
            pulse.thread.store(cposix_flight_enter_thread(), ordering: .releasing)
            // As a worker's loop goes: it sleeps, and does something, and ends a turn.
            for turn in 1... {
                wakeup.prepareToSleep()
                _ = cposix_await_until(-1, 0, cposix_monotonic_nanoseconds() + 2_000_000)
                wakeup.didWake()
                if isDone.load(ordering: .relaxed) { break }
                // More than once: on a busy machine a thread may get no CPU, and that is told of nowhere.
                if turn % 20 == 0 { injectedHandler(milliseconds: 50) }
                gauges.turns.store(UInt64(turn), ordering: .relaxed)
            }
            pulse.thread.store(0, ordering: .releasing)
            cposix_flight_leave_thread()
        }
        let isTold = cposix_await_until(
            told.descriptor, Int16(POLLIN), cposix_monotonic_nanoseconds() + 30_000_000_000)
        isDone.store(true, ordering: .relaxed)
        thread.join()
        recorder.stop()
        #expect(isTold == 1)
        let line = lines.withLock { $0 }.first ?? ""
        #expect(line.hasPrefix("stall: worker-0 was in one turn for about "), "\(line)")
        #expect(line.contains("injectedHandler"), "\(line)")
        #expect(recorder.counters.workers[0].counts.reduce(0, +) >= 1)
        #expect(recorder.counters.workers[0].longest >= 30_000_000)
        #expect(recorder.counters.stalls.load(ordering: .relaxed) >= 1)
    }
}

/// What takes its time: it computes, so that it is found in itself.
@inline(never)
private func injectedHandler(milliseconds: Int64) {
    let thread = cposix_flight_enter_thread()
    let end = cposix_thread_cpu_nanoseconds(thread) + milliseconds * 1_000_000
    // In itself nearly all of the time, and not in the clock.
    var number: UInt64 = 1
    while cposix_thread_cpu_nanoseconds(thread) < end && number != 0 {
        for _ in 0..<200_000 { number = number &* 6_364_136_223_846_793_005 | 1 }
    }
}
