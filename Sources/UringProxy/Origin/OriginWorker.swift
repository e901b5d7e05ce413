internal import CPosix
internal import Synchronization

/// One thread of the built-in origin.
final class OriginWorker: DriverWork {
    let counters: Counters
    let wakeup: Wakeup
    let cpu: Int? = nil
    let busyPoll = BusyPoll.off
    let threadName: String
    let connectionLimit: Int
    let pipeLimit = 0
    /// Answers are sent from one slice, so this is for what is received: echoes and backlogs.
    let memoryBytes = 256 << 20

    private let listener: Int32
    private let allCounters: [Counters]
    private let mailbox = BoundedQueue<Worker.Message>(minimumCapacity: 16)

    /// - Parameters:
    ///   - listener: the worker's own from now on.
    ///   - allCounters: of every worker of the origin; the one at `index` is this worker's own from now on.
    init(index: Int, listener: Int32, connections: Int, allCounters: [Counters]) throws(SystemCallError) {
        self.listener = listener
        self.allCounters = allCounters
        counters = allCounters[index]
        threadName = "origin-\(index)"
        connectionLimit = connections
        wakeup = try Wakeup()
    }

    deinit { counters.destroy() }

    func send(_ message: Worker.Message) {
        // Full only if it holds a drain and a stop many times over: nothing new is lost.
        _ = mailbox.push(message)
        wakeup.signal()
    }

    func closeListeners() { _ = cposix_close(listener) }

    #if Uring
        func run(on driver: consuming UringDriver, _ arena: Arena, _ segments: SegmentPool) {
            run(driver, arena, segments)
        }
    #endif

    func run(on driver: consuming EpollDriver, _ arena: Arena, _ segments: SegmentPool) {
        run(driver, arena, segments)
    }

    private func run<D: Driver & ~Copyable>(_ driver: consuming D, _ arena: Arena, _ segments: SegmentPool) {
        var engine = OriginEngine(
            driver: driver, arena: arena, segments: segments, counters: counters, allCounters: allCounters,
            listener: listener, connections: connectionLimit)
        while !engine.isIdle {
            let deadline = engine.nextDeadline
            wakeup.prepareToSleep()
            engine.driver.turn(until: mailbox.isEmpty ? deadline : 0)
            wakeup.didWake()
            while let message = mailbox.pop() {
                switch message {
                case .accept: break  // It does from the start.
                case .adopt, .inspect: preconditionFailure("an origin has no snapshot, and nobody asks it")
                case .drain: engine.drain()
                // Nobody takes an origin's place.
                case .pause, .handOver: break
                case .stop: engine.stop()
                }
            }
            engine.processTurn()
        }
        engine.shutDown()
    }
}
