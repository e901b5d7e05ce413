#if DEBUG || TESTABLE
    internal import Glibc
    @testable internal import UringProxy

    /// Everything outside the engines: the clock, what is going to happen, the network and its peers.
    final class World {
        private struct Event {
            var time: Int64
            var order: UInt64
            var action: () -> Void
        }

        private(set) var now: Int64 = second
        var random: Random
        /// For what clients say of themselves: apart, so that worlds in which they say nothing are what they were before.
        var introductions: Random
        /// For health and what endangers it: apart as well.
        var resilience: Random
        /// For limits of clusters: apart as well.
        var limits: Random
        /// For limits of connections: apart as well.
        var places: Random
        /// Limits of connections stay what they are: there are never more than that.
        let keepsPlaces: Bool
        /// For mirrors: apart as well.
        var mirrors: Random
        /// For hedges: apart as well.
        var hedges: Random
        /// For zones and sticky cookies of clusters: apart as well.
        var zones: Random
        /// For zones that come first for some clients: apart as well.
        var preferences: Random
        /// For priorities of endpoints: apart as well.
        var priorities: Random
        /// For parent proxies and what goes through them: apart as well.
        var parents: Random
        /// For a process that takes over from another one: apart as well.
        var handovers: Random
        /// For routes that ask who comes: apart as well.
        var rules: Random
        /// For endpoints that are found, and name servers: apart as well.
        var discovery: Random
        /// For how many connections listeners take: apart as well.
        var listening: Random
        /// For TLS to clusters: apart as well.
        var securing: Random
        /// For connections that are passed on by server name: apart as well.
        var passing: Random
        /// Engines keep an access log, with so many bytes for a record.
        let loggedBytes: Int?
        /// nil: nothing is done about traces.
        let tracing: TracingConfiguration?
        /// Answers tell what took how long.
        let timesAnswers: Bool
        /// Engines have a flight recorder.
        let recordsFlight: Bool
        /// nil: clusters are spoken to in clear.
        let tls: WorldTLS?
        /// For HTTP/2 to clusters: apart as well.
        var multiplexing: Random
        let http2: UpstreamHTTP2
        /// Kernels take over encrypting.
        let kernelTLS: Bool
        /// From where on they do so, in bytes.
        let kernelFrom: UInt64
        let profile: Profile
        let isVerbose: Bool

        private var heap: [Event] = []
        private var order: UInt64 = 0

        /// Open descriptors by number, of all engines: a process has one table.
        var descriptors: [Descriptor?] = [nil, nil, nil]
        var listeners: [ListenSocket] = []
        var origins: [Origin] = []
        /// What is known of the clusters' endpoints; of all engines, as a process has one.
        let health = HealthRegistry()
        /// What cookies of sticky clusters may call their endpoints, as text.
        var stickyNames: [String] = []
        /// To which cluster the origin at an address belongs, those that do not answer requests too.
        var clusterOfOrigin: [String: Int] = [:]
        /// To which cluster the origin at a port belongs.
        var clusterOfPort: [UInt16: Int] = [:]
        /// Routes that ask who comes; nil: there are none.
        var routeRules: RouteRules?
        /// Since when the origin at a port is no endpoint of any cluster; nil: it may be.
        var absentSince: [UInt16: Int64] = [:]
        /// How often endpoints were found.
        var finds = 0
        var nameServers = NameServers.working
        var peers: [Peer] = []
        var sockets: [Socket] = []
        var plans: [ExchangePlan] = []
        /// Those that are asked for with CONNECT.
        var tunnels: [TunnelPlan] = []
        /// What becomes of Proxy-Authorization on the way to a parent.
        var parentAuthorization = ParentAuthorization.dropped

        /// What was found wrong first; the run ends with it.
        private(set) var violation: String?
        /// Operations asked of all drivers, for failing the n-th.
        var operationCount = 0
        var failure: InjectedFailure?
        var eventCount = 0
        /// Another process takes over: no connection is lost by that, but those that were kept for further requests.
        var isHandedOver = false
        /// No peer begins anything new; those that are left end.
        var isClosing = false

        init(seed: UInt64, isVerbose: Bool) {
            random = Random(seed: seed)
            introductions = Random(seed: seed ^ 0x5052_4F58_59)
            resilience = Random(seed: seed ^ 0x4845_414C_5448)
            limits = Random(seed: seed ^ 0x4C49_4D49_5453)
            places = Random(seed: seed ^ 0x504C_4143_4553)
            keepsPlaces = places.chance(50)
            mirrors = Random(seed: seed ^ 0x4D49_5252_4F52)
            hedges = Random(seed: seed ^ 0x4845_4447_4553)
            zones = Random(seed: seed ^ 0x5A4F_4E45)
            preferences = Random(seed: seed ^ 0x5052_4546_4552)
            priorities = Random(seed: seed ^ 0x5052_494F_52)
            parents = Random(seed: seed ^ 0x5041_5245_4E54)
            listening = Random(seed: seed ^ 0x4C49_5354_454E)
            discovery = Random(seed: seed ^ 0x4449_5343_4F56)
            rules = Random(seed: seed ^ 0x5255_4C45_53)
            handovers = Random(seed: seed ^ 0x4841_4E44_4F56)
            securing = Random(seed: seed ^ 0x5345_4355_5245)
            passing = Random(seed: seed ^ 0x5041_5353_494E_47)
            var logging = Random(seed: seed ^ 0x4C_4F47)
            loggedBytes = logging.chance(70) ? logging.pick([512, 4096]) : nil
            var tracing = TracingConfiguration()
            var traces = Random(seed: seed ^ 0x54_5241_4345)
            tracing.sample = traces.pick([0, 1, 1, 3])
            tracing.parent = traces.pick([.honour, .honour, .resample, .ignore])
            if traces.chance(80) {
                tracing.export = TracingConfiguration.Export(endpoint: "http://none.test")
            }
            self.tracing = traces.chance(60) ? tracing : nil
            timesAnswers = traces.chance(30)
            recordsFlight = logging.chance(50)
            tls = securing.chance(35) ? WorldTLS(version: securing.pick([12, 13])) : nil
            var kernels = Random(seed: seed ^ 0x4B45_524E_454C)
            kernelTLS = tls != nil && kernels.chance(70)
            kernelFrom = UInt64(kernels.logarithmic(256...65_536))
            profile = Profile(&random, seed: seed, &introductions)
            multiplexing = Random(seed: seed ^ 0x4854_5450_32)
            // A connection of several clients has no header that names one.
            let isWanted = multiplexing.chance(40)
            let isMultiplexed = isWanted && profile.upstreamProxyHeader == nil
            let choice = multiplexing.pick([UpstreamHTTP2.on, .auto])
            http2 = !isMultiplexed ? .off : tls == nil ? .on : choice
            self.isVerbose = isVerbose
        }

        /// Cuts the cycles of references between sockets and their owners.
        func dispose() {
            for socket in sockets {
                socket.owner = nil
                socket.peer = nil
            }
            for peer in peers { peer.dispose() }
            for case .some(let descriptor) in descriptors { descriptor.dispose() }
            for listener in listeners { listener.dispose() }
            heap.removeAll()
            peers.removeAll()
            sockets.removeAll()
            descriptors.removeAll()
            origins.removeAll()
            listeners.removeAll()
        }

        func violate(_ text: @autoclosure () -> String) {
            if violation != nil { return }
            let text = text()
            violation = text
            trace("VIOLATION: \(text)")
        }

        @inline(__always)
        func trace(_ text: @autoclosure () -> String) {
            if isVerbose { printTrace(text()) }
        }

        private func printTrace(_ text: String) {
            let microseconds = (now - second) / 1000
            let digits = String(microseconds % 1_000_000)
            let padding = String(repeating: "0", count: 6 - digits.count)
            // Unbuffered: what was said before a crash is what matters.
            var line = "\(microseconds / 1_000_000).\(padding)\(digits) \(text)\n"
            line.withUTF8 { unsafe _ = write(1, $0.baseAddress, $0.count) }
        }

        /// Draws what `body` draws from sources of its own: for the others it is as if it had not been.
        func apart<Result>(_ seed: UInt64, _ body: () -> Result) -> Result {
            let kept = (random, resilience, limits, hedges, zones, places, preferences, priorities)
            defer { (random, resilience, limits, hedges, zones, places, preferences, priorities) = kept }
            var seeds = Random(seed: seed)
            random = Random(seed: seeds.next())
            resilience = Random(seed: seeds.next())
            limits = Random(seed: seeds.next())
            hedges = Random(seed: seeds.next())
            zones = Random(seed: seeds.next())
            places = Random(seed: seeds.next())
            preferences = Random(seed: seeds.next())
            priorities = Random(seed: seeds.next())
            return body()
        }

        // MARK: - Time

        func schedule(after delay: Int64, _ action: @escaping () -> Void) {
            order += 1
            heap.append(Event(time: now + max(0, delay), order: order, action: action))
            siftUp()
        }

        var nextEventAt: Int64 { heap.first?.time ?? .max }

        /// Lets the clock go on to `time`, no further than the next event.
        func advance(to time: Int64) {
            precondition(time >= now && time <= nextEventAt)
            now = time
        }

        /// Runs the events that are due.
        func runDueEvents() {
            while let first = heap.first, first.time <= now, violation == nil {
                popFirst()
                eventCount += 1
                first.action()
            }
        }

        private func isBefore(_ a: Int, _ b: Int) -> Bool {
            heap[a].time != heap[b].time ? heap[a].time < heap[b].time : heap[a].order < heap[b].order
        }

        private func siftUp() {
            var index = heap.count - 1
            while index > 0 {
                let parent = (index - 1) / 2
                guard isBefore(index, parent) else { return }
                heap.swapAt(index, parent)
                index = parent
            }
        }

        private func popFirst() {
            heap.swapAt(0, heap.count - 1)
            heap.removeLast()
            var index = 0
            while true {
                var least = index
                for child in [2 * index + 1, 2 * index + 2] where child < heap.count && isBefore(child, least)
                {
                    least = child
                }
                if least == index { return }
                heap.swapAt(index, least)
                index = least
            }
        }

        // MARK: - Descriptors

        /// How many connections engines have to the servers of a cluster, by its index in the scenario.
        func openConnections(to cluster: Int) -> Int {
            var count = 0
            for case .some(let descriptor) in descriptors where descriptor.socket?.cluster == cluster {
                count += 1
            }
            return count
        }

        /// The lowest free number, as the kernel does it: a number used too late meets its next tenant.
        func open(_ kind: Descriptor.Kind, owner: Kernel?) -> Descriptor {
            var number = 3
            while number < descriptors.count && descriptors[number] != nil { number += 1 }
            let descriptor = Descriptor(Int32(number), kind, owner: owner)
            if number == descriptors.count {
                descriptors.append(descriptor)
            } else {
                descriptors[number] = descriptor
            }
            return descriptor
        }

        func descriptor(_ number: Int32) -> Descriptor? {
            number >= 0 && Int(number) < descriptors.count ? descriptors[Int(number)] : nil
        }

        // MARK: - Connections

        /// Two connected sockets.
        func makePair(_ a: any SocketOwner, _ b: (any SocketOwner)?) -> (Socket, Socket) {
            let first = Socket(self)
            let second = Socket(self)
            first.peer = second
            second.peer = first
            first.owner = a
            second.owner = b
            sockets.append(first)
            sockets.append(second)
            return (first, second)
        }
    }

    enum NameServers { case working, failing, silent }

    /// The n-th operation of a run fails, whatever it is.
    struct InjectedFailure {
        var operation: Int
        var variant: Int

        static let variants = 6

        func errno(of kind: OperationKind) -> Int32 {
            let errors: [Int32]
            switch kind {
            case .accept: errors = [EMFILE, ENFILE, ECONNABORTED, ENOMEM, ECANCELED, EPERM]
            case .connect: errors = [ECONNREFUSED, ETIMEDOUT, ECANCELED, ENETUNREACH, EADDRNOTAVAIL, ENOENT]
            case .receive: errors = [ECONNRESET, ENOBUFS, ECANCELED, ETIMEDOUT, EHOSTUNREACH, ENOMEM]
            case .send, .zeroCopy: errors = [EPIPE, ECONNRESET, ECANCELED, ETIMEDOUT, ENOBUFS, ENOMEM]
            }
            return errors[variant % errors.count]
        }
    }

    /// How one run deviates from a perfect network: chosen once, so that runs differ in kind.
    struct Profile {
        /// Nothing goes wrong that could change an answer: each request must be answered by its origin, in full.
        let isStrict: Bool
        let latency: Int64
        /// Largest pipes; small ones make short sends and backpressure.
        let pipeCapacity: ClosedRange<Int>
        /// Percentages and per mille of oddities.
        let splitPercent: Int
        let oneByteMille: Int
        let lateCompletionPercent: Int
        let lateAttemptPercent: Int
        let lateCancelPercent: Int
        let wakeDelayPercent: Int
        let streamEndMille: Int
        let streamEndsWithData: Int
        let publishedSlices: Int
        let zeroCopy: Bool
        // Faults.
        let acceptErrorMille: Int
        let socketErrorMille: Int
        let connectErrorPercent: Int
        let abortPercent: Int
        let originFaultPercent: Int
        let pressure: Bool
        let resetDropsInput: Bool
        // Pipes, from a source of chance of their own: worlds without them are what they were before there were any.
        let pipes: Int
        let pipeSize: ClosedRange<Int>
        let pipeErrorMille: Int
        let spliceErrorMille: Int
        /// From where on a stream is taken for a long one.
        let longFrom: Int
        /// How many bodies and tunnels are large.
        let longPercent: Int
        // Proxies before and behind, from a source of their own as well.
        /// Connections begin with a PROXY protocol header.
        let requiresProxyHeader: Bool
        /// Connections to the configured upstreams do.
        let upstreamProxyHeader: ProxyHeader.Version?
        /// Clients tell of a hop before them, and some are believed.
        let trustsProxies: Bool

        init(_ random: inout Random, seed: UInt64, _ introductions: inout Random) {
            isStrict = random.chance(35)
            let isWild = !isStrict && random.chance(50)
            latency = Int64(random.logarithmic(1...40_000)) * microsecond
            let top = random.pick([256, 1500, 4096, 16_384, 65_536, 262_144])
            pipeCapacity = (top / 8 + 1)...top
            splitPercent = random.pick([0, 20, 60])
            oneByteMille = random.pick([0, 0, 5, 50])
            lateCompletionPercent = random.pick([0, 5, 30])
            lateAttemptPercent = random.pick([0, 5, 30])
            lateCancelPercent = random.pick([0, 20, 70])
            wakeDelayPercent = random.pick([0, 5, 30])
            streamEndMille = random.pick([0, 10, 200])
            streamEndsWithData = random.pick([0, 10, 300])
            publishedSlices = random.pick([0, 0, 1, 2, 4, 16])
            zeroCopy = random.chance(30)
            acceptErrorMille = isStrict ? 0 : random.pick([0, 20, isWild ? 300 : 50])
            socketErrorMille = isStrict ? 0 : random.pick([0, 10, isWild ? 200 : 30])
            connectErrorPercent = isStrict ? 0 : random.pick([0, 3, isWild ? 40 : 10])
            abortPercent = isStrict ? 0 : random.pick([0, 5, isWild ? 60 : 20])
            originFaultPercent = isStrict ? 0 : random.pick([0, 5, isWild ? 60 : 20])
            pressure = !isStrict && random.chance(25)
            resetDropsInput = random.chance(50)
            var own = Random(seed: ~seed)
            pipes = own.pick([0, 1, 2, 16])
            let largest = own.logarithmic(256...65_536)
            pipeSize = (largest / 4)...largest
            pipeErrorMille = own.pick([0, 0, 100])
            spliceErrorMille = own.pick([0, 0, 2, 50])
            longFrom = own.logarithmic(64...262_144)
            longPercent = pipes > 0 ? 30 : 8
            requiresProxyHeader = introductions.chance(25)
            upstreamProxyHeader = introductions.chance(25) ? introductions.pick([.v1, .v2]) : nil
            trustsProxies = introductions.chance(25)
        }
    }
#endif
