#if DEBUG || TESTABLE
    internal import Glibc
    @testable internal import UringProxy

    /// One engine in the simulated world, with what a worker's thread would do around it.
    final class Node {
        enum Mail {
            case resolved(UInt64, Engine<SimulatedDriver>.Resolution)
            case checked(CredentialVerdict)
            /// With the places of the scenario's clusters, and what to do afterwards.
            case adopt(Snapshot, places: [Int], limits: [Int: Int32], () -> Void)
            case drain
            case stop
            /// Accepts nothing from now on, and tells when that holds.
            case pause(() -> Void)
            case resume
            /// Another process has taken its place.
            case handOver
        }

        /// A listener as long as the configuration has it.
        struct Listening {
            var socket: ListenSocket
            var id: Int
            var descriptor: Int32
            var access: Int32
            /// Connections at most; 0: any number.
            var limit: Int32

            func listener(_ places: [Int]) -> Listener {
                var cluster: Int? = places[socket.cluster]
                if socket.role == .forward { cluster = socket.parent.map { places[$0] } }
                // There is no place for the rest.
                if socket.asksName { cluster = -1 }
                return Listener(
                    descriptor: descriptor, id: id, role: socket.role, cluster: cluster,
                    routes: socket.hasRoutes ? 0 : -1, access: access, connectionLimit: limit,
                    serverNames: socket.asksName ? 0 : -1)
            }
        }

        let world: World
        let name: String
        let kernel: Kernel
        let arena: Arena
        let segments: SegmentPool
        let counters = Counters()
        var engine: Engine<SimulatedDriver>
        var mail: [Mail] = []
        private let wakeup: Wakeup
        /// The thread gets no processor before.
        private var delayedUntil: Int64 = 0
        private(set) var turns = 0
        private var turnsNow = 0
        private var lastTurnAt: Int64 = 0
        private var idleTurns = 0
        private var idleWindowStartedAt: Int64 = 0
        /// Memory that somebody else took.
        private var taken: [SliceID] = []
        var hasEnded = false
        private let queueLimit: Int
        private var isWoken = false
        private(set) var listeners: [Listening]
        private var whenPaused: (() -> Void)?
        private let log: LogReader?
        private let inspector: Inspector
        private let spans: SpanReader?
        private let flight: FlightReader?

        init(
            _ world: World, index: Int, snapshot: Snapshot, listeners: [Listening], kernel: Kernel,
            wakeups: [Wakeup],
            ask: @escaping (ByteView, UInt64) -> Bool,
            check: @escaping ((_ inbox: Int) -> CredentialQuery) -> Bool
        ) {
            self.world = world
            name = kernel.name
            self.kernel = kernel
            wakeup = wakeups[index]
            arena = kernel.arena
            segments = kernel.segments
            engine = Engine(
                driver: SimulatedDriver(kernel: kernel), arena: arena, segments: segments,
                counters: counters, worker: index, snapshot: snapshot,
                listeners: listeners.map { $0.listener(Array(snapshot.clusters.indices)) },
                wakeups: wakeups, seed: 1, askResolver: ask, askChecker: check)
            self.listeners = listeners
            log = snapshot.accessLog.map { LogReader(world, name: kernel.name, $0.lanes[index].ring) }
            inspector = Inspector(world, name: kernel.name)
            spans = snapshot.tracing.flatMap { plan in
                plan.lanes.isEmpty ? nil : SpanReader(world, name: kernel.name, plan.lanes[index])
            }
            flight = snapshot.flight.map { FlightReader(world, name: kernel.name, $0.lanes[index].ring) }
            engine.startAccepting()
            kernel.submit()
            let settings = snapshot.settings
            let window = max(
                Int(settings.window), Int(settings.bulkWindow), settings.headLimits.headBytes + 1)
            // What is on its way when the receive is cancelled comes as well.
            queueLimit = window + SliceClass.bulk.sliceSize + 2 * world.profile.pipeCapacity.upperBound
        }

        var wantsTurnAt: Int64 {
            var at = min(engine.nextDeadline, kernel.wakesAt)
            if !mail.isEmpty || wasWoken() { at = 0 }
            return max(at, delayedUntil)
        }

        /// Another worker woke this one. Nothing else than an offer on its way, a turn at a cluster, or a want of an idle connection
        /// makes it do so here.
        private func wasWoken() -> Bool {
            if isWoken { return true }
            guard !engine.awaitingOffers.isEmpty || engine.gates.attention > 0 else { return false }
            var count: UInt64 = 0
            isWoken = unsafe read(wakeup.descriptor, &count, 8) == 8
            return isWoken
        }

        /// An exchange may go in at its cluster, and nobody told its worker. What waits for it to read tells it as well: a snapshot
        /// with lower limits, by which others went already, and did not find it to be its turn.
        var hasLostTurn: Bool { engine.mayAdmit && mail.isEmpty && !wasWoken() }

        func turn() {
            turns += 1
            wakeup.didWake()
            isWoken = false
            let before = kernel.statistics.completions
            // One turn for each close that others may wait for is no idle one.
            let hadClosed = engine.gates.hasClosed
            engine.driver.turn(until: engine.nextDeadline)
            let hadMail = !mail.isEmpty
            let letters = mail
            mail.removeAll(keepingCapacity: true)
            for letter in letters {
                switch letter {
                case .resolved(let token, let resolution): engine.resolved(token: token, resolution)
                case .checked(let verdict): engine.credentialsChecked(verdict)
                case .adopt(let snapshot, let places, let limits, let done):
                    world.trace("\(name) adopts another snapshot")
                    for index in listeners.indices {
                        listeners[index].limit = limits[listeners[index].id, default: 0]
                    }
                    engine.adopt(snapshot, listeners: listeners.map { $0.listener(places) }, handedOn: [])
                    done()
                case .pause(let done):
                    world.trace("\(name) pause")
                    guard engine.phase == .running else { break }
                    engine.suspendAccepting()
                    whenPaused = done
                case .resume:
                    world.trace("\(name) resume")
                    if engine.phase == .running { engine.startAccepting() }
                case .handOver:
                    world.trace("\(name) hands over")
                    engine.handOver(listeners.map(\.id))
                case .drain:
                    world.trace("\(name) drain")
                    engine.drain()
                case .stop:
                    world.trace("\(name) stop")
                    engine.stop()
                }
            }
            engine.processTurn()
            log?.read()
            inspector.ask(&engine)
            spans?.read()
            flight?.read()
            // The wait begins: what was asked for is submitted.
            kernel.submit()
            wakeup.prepareToSleep()
            // From here on another worker tells.
            if engine.mayAdmit { isWoken = true }
            if let done = whenPaused, !engine.isAcceptUnderWay {
                whenPaused = nil
                done()
            }
            checkTurn(wasIdle: !hadMail && !hadClosed && kernel.statistics.completions == before)
            if world.random.chance(world.profile.wakeDelayPercent) {
                delayedUntil = world.now + Int64(world.random.logarithmic(1...5000)) * microsecond
            }
        }

        /// The next configuration has one listener less, if there is more than one.
        func dropListener(_ number: Int) {
            if listeners.count > 1 { listeners.remove(at: number % listeners.count) }
        }

        // MARK: - Checks

        private func checkTurn(wasIdle: Bool) {
            turnsNow = lastTurnAt == world.now ? turnsNow + 1 : 0
            lastTurnAt = world.now
            if turnsNow > 2000 { world.violate("\(name) spins: \(turnsNow) turns without time passing") }
            if world.now - idleWindowStartedAt > second {
                idleWindowStartedAt = world.now
                idleTurns = 0
            }
            if wasIdle { idleTurns += 1 }
            if idleTurns > 500 { world.violate("\(name) spins: \(idleTurns) idle turns within a second") }
            checkWithheld()
            if arena.leasedBytes > arena.budgetBytes { world.violate("\(name): more leased than the budget") }
            if turns % 8 == 0 || world.isVerbose { checkConnections() }
        }

        /// Nothing that could go on may wait for a send whose end the engine did not ask to hear of.
        private func checkWithheld() {
            let withheld = kernel.withheldSlots
            guard !withheld.isEmpty else { return }
            if engine.nextDeadline > world.now && !engine.starved.isEmpty {
                world.violate("\(name): receives wait for memory that quiet sends hold")
            }
            for slot in withheld where engine.splicing[slot].pipeBytes > 0 {
                world.violate(
                    "\(name): \(engine.splicing[slot].pipeBytes) bytes in a pipe wait behind a quiet send")
            }
        }

        /// Connections that count at a listener, be it in the configuration or gone. Whoever is one too many is served nothing.
        func countAtListener(_ id: Int) -> Int {
            var count = 0
            for slot in 0..<UInt32(engine.connections.highestCount) where engine.connections.isOccupied(slot)
            {
                let connection = engine.connections[slot]
                guard connection.side == .downstream, connection.phase != .detached else { continue }
                let listener = engine.listeners[connection.listener]
                guard listener.id == id else { continue }
                if connection.countedAtListener { count += 1 }
                if connection.isSurplus && (connection.countedAtListener || connection.exchange != Slot.none)
                {
                    world.violate("\(name): connection \(connection.descriptor) is one too many, and served")
                }
                if !connection.isSurplus && !listener.isGone
                    && connection.countedAtListener != (listener.connectionLimit > 0)
                {
                    world.violate(
                        "\(name): connection \(connection.descriptor) is not counted as it is to be")
                }
            }
            return count
        }

        private func checkConnections() {
            for slot in 0..<UInt32(engine.connections.highestCount) where engine.connections.isOccupied(slot)
            {
                let connection = engine.connections[slot]
                let state = engine.splicing[slot]
                let held = state.pipe == .none ? 0 : kernel.pipes.byteCount(state.pipe)
                // What is being sent may have left already.
                if !state.sendsFromPipe && Int(state.pipeBytes) > held {
                    world.violate("\(name): a pipe with less than \(state.pipeBytes) bytes")
                }
                if Int(connection.input.byteCount) > queueLimit
                    || Int(connection.output.byteCount) > 2 * queueLimit
                {
                    world.violate(
                        "\(name): \(connection.input.byteCount) bytes of input, \(connection.output.byteCount) of output "
                            + "wait on descriptor \(connection.descriptor)")
                }
            }
        }

        var isQuiet: Bool {
            engine.connections.count == 0 && engine.zeroCopies.count == 0 && !engine.gates.hasClosed
                && kernel.isSilent && mail.isEmpty
        }

        /// Nobody is connected any more: nothing of anybody is left.
        func checkQuiet() {
            func expect(_ isTrue: Bool, _ text: @autoclosure () -> String) {
                if !isTrue { world.violate("\(name), at rest: \(text())") }
            }
            expect(engine.connections.count == 0, "\(describeConnections())")
            expect(engine.exchanges.count == 0, "\(engine.exchanges.count) exchanges")
            expect(engine.zeroCopies.count == 0, "\(engine.zeroCopies.count) zero-copy sends")
            expect(segments.linksInUse == 0, "\(segments.linksInUse) segments")
            expect(engine.detachedCount == 0, "\(engine.detachedCount) detached exchanges counted")
            expect(engine.downstreamCount == 0, "\(engine.downstreamCount) downstream connections counted")
            expect(engine.tlsCount == 0, "\(engine.tlsCount) sessions of TLS counted")
            expect(engine.layeredCount == 0, "\(engine.layeredCount) sessions and streams counted")
            expect(engine.bulkReceives == 0, "\(engine.bulkReceives) bulk receives counted")
            expect(engine.piped.isEmpty, "\(engine.piped.count) connections have a pipe")
            expect(kernel.pipes.leasedCount == 0, "\(kernel.pipes.leasedCount) pipes leased")
            let leased = arena.leasedBytes - kernel.publishedBytes - takenBytes
            expect(leased == 0, "\(leased) bytes leased")
            expect(
                kernel.operationsInFlight == kernel.acceptsInFlight, "\(kernel.operationsInFlight) operations"
            )
            expect(kernel.zeroCopiesInFlight == 0, "\(kernel.zeroCopiesInFlight) notifications")
            expect(kernel.openDescriptors <= world.listeners.count, "\(kernel.openDescriptors) descriptors")
            for index in 0..<engine.clusters.endpointCount {
                let count = engine.clusters.inFlight(index)
                expect(count == 0, "\(count) exchanges counted at endpoint \(index)")
            }
            expect(engine.gates.waitingCount == 0, "\(engine.gates.waitingCount) exchanges wait at gates")
            expect(!engine.gates.hasClosed, "connections are closed that nobody knows of")
            expect(engine.flushQueue.isEmpty && engine.readQueue.isEmpty, "work is queued")
            for index in 0..<UInt32(engine.endpoints.slab.highestCount)
            where engine.endpoints.slab.isOccupied(index) {
                let endpoint = engine.endpoints[index]
                expect(
                    endpoint.inUse == 0 && endpoint.idleCount == 0 && endpoint.firstWaiting == Slot.none,
                    "endpoint \(index) has \(endpoint.inUse) in use, \(endpoint.idleCount) idle")
            }
            expect(engine.undrained.isEmpty, "\(engine.undrained.count) exchanges wait for their clients")
            log?.checkQuiet(count: engine.noteCount)
            spans?.checkQuiet(count: counters[.tracesSampled])
            flight?.checkQuiet()
            for (a, b) in [
                (Counter.exchangesStarted, Counter.exchangesFinished),
                (.downstreamAccepted, .downstreamClosed),
                (.tunnelsOpened, .tunnelsClosed),
            ] {
                expect(counters[a] == counters[b], "\(a) is \(counters[a]), \(b) is \(counters[b])")
            }
        }

        /// Whether it has an idle connection that goes through a gate.
        func hasIdle(_ gate: ClusterGate?) -> Bool {
            guard let gate, let number = engine.gates.number(of: gate) else { return false }
            for slot in 0..<UInt32(engine.connections.highestCount) where engine.connections.isOccupied(slot)
            {
                let connection = engine.connections[slot]
                if connection.phase == .pooled && connection.gate == number { return true }
            }
            return false
        }

        func describeConnections() -> String {
            var text = "\(engine.connections.count) connections, \(arena.leasedBytes) bytes leased"
            text += ", \(engine.starved.count) starved, \(kernel.receivableSlices) receivable slices"
            for slot in 0..<UInt32(engine.connections.highestCount) where engine.connections.isOccupied(slot)
            {
                let connection = engine.connections[slot]
                text += "; \(connection.side) \(connection.phase) on \(connection.descriptor), "
                text += "\(connection.operationsInFlight) in flight, receiving \(connection.receiving), "
                text += "input \(connection.input.byteCount), output \(connection.output.byteCount)"
                if connection.isStarved { text += ", starved" }
                if connection.isBulk { text += ", bulk" }
                let state = engine.splicing[slot]
                if state.splices { text += ", spliced" }
                if state.pipe != .none { text += ", \(state.pipeBytes) bytes in its pipe" }
            }
            for error in ProxyError.allCases where counters[error] > 0 {
                text += "; \(error): \(counters[error])"
            }
            text += "; buffers exhausted: \(counters[.buffersExhausted])"
            return text
        }

        // MARK: - The end

        func end() {
            if hasEnded { return }
            hasEnded = true
            engine.shutDown()
            kernel.submit()
            if kernel.acceptsInFlight > 0 || kernel.operationsInFlight > 0 {
                world.violate("\(name): ended with \(kernel.operationsInFlight) operations")
            }
            if kernel.openDescriptors > 0 {
                world.violate("\(name): ended with \(kernel.openDescriptors) descriptors")
            }
        }

        func dispose() {
            release()
            kernel.dispose()
            counters.destroy()
            segments.destroy()
            arena.destroy()
        }

        // MARK: - Pressure

        private var takenBytes: Int {
            var bytes = 0
            for slice in taken { bytes += slice.sliceClass.sliceSize }
            return bytes
        }

        /// Takes most of the memory away for a while.
        func press(leaving size: Int) {
            for sliceClass in [SliceClass.bulk, .medium, .small, .tiny] {
                while arena.budgetBytes - arena.leasedBytes - sliceClass.sliceSize >= size,
                    let slice = arena.lease(sliceClass)
                {
                    taken.append(slice)
                }
            }
        }

        func release() {
            for slice in taken { arena.release(slice) }
            taken.removeAll()
            // Nobody but the engine itself gives memory back in earnest.
            isWoken = true
        }
    }
#endif
