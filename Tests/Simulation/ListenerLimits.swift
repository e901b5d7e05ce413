#if DEBUG || TESTABLE
    @testable internal import UringProxy

    /// How many connections listeners may have: those of one role, of all engines, are one listener with a socket for each of them.
    /// Whoever serves more than it may, or counts others than it has, is found out.
    final class ListenerLimits {
        private unowned let world: World
        /// By the listener's id, as snapshots have them.
        let loads: [Int: ListenerLoad]
        /// By the listener's id; 0: any number.
        private(set) var limits: [Int: Int32] = [:]
        /// How many there may be of each: the limit, or more where there were more when it fell.
        private var most: [Int: Int] = [:]

        static func id(of role: Listener.Role) -> Int { Int(role.rawValue) + 1 }

        init(_ world: World) {
            self.world = world
            let ids = [Listener.Role.reverse, .forward, .tcp].map { Self.id(of: $0) }
            loads = Dictionary(uniqueKeysWithValues: ids.map { ($0, ListenerLoad()) })
            for id in ids {
                limits[id] = world.listening.chance(40) ? draw() : 0
                most[id] = Self.most(limits[id, default: 0])
            }
        }

        /// Where every request is to be answered as many as there can be clients.
        private func draw() -> Int32 {
            Int32(
                world.profile.isStrict ? world.listening.pick([8, 100]) : world.listening.pick([1, 1, 2, 3]))
        }

        private static func most(_ limit: Int32) -> Int { limit == 0 ? .max : Int(limit) }

        /// The next snapshot may have others.
        func change() {
            for id in loads.keys.sorted() where world.listening.chance(30) {
                let limit = world.listening.chance(40) ? 0 : draw()
                limits[id] = limit
                most[id] = max(most[id, default: 0], Self.most(limit))
            }
        }

        /// Between two turns.
        ///
        /// - Parameter isChanging: engines have yet to adopt the limits.
        func check(_ nodes: ArraySlice<Node>, _ clients: [Client], isChanging: Bool) {
            for (id, load) in loads {
                let count = load.connections
                var counted = 0
                for node in nodes where !node.hasEnded { counted += node.countAtListener(id) }
                if counted != count {
                    world.violate("listener \(id) counts \(count) connections, and has \(counted)")
                }
                var allowed = most[id, default: 0]
                if !isChanging {
                    allowed = max(Self.most(limits[id, default: 0]), min(allowed, count))
                    most[id] = allowed
                }
                if count > allowed { world.violate("listener \(id) has \(count) of \(allowed) connections") }
                // As those see it that are served: where all of them count, at least.
                let areRunning = nodes.allSatisfy { $0.hasEnded || $0.engine.phase == .running }
                if limits[id] == 0 || isChanging || !areRunning || world.isHandedOver { continue }
                let served = clients.count {
                    $0.isServed && $0.isHeld && $0.isOfListener && Self.id(of: $0.role) == id
                }
                if served > allowed {
                    world.violate("listener \(id) serves \(served) of \(allowed) connections")
                }
            }
        }

        /// Nobody is connected any more.
        func checkQuiet(_ nodes: [Node]) {
            var (refused, told): (UInt64, UInt64) = (0, 0)
            for (id, load) in loads {
                refused += load.refused
                if load.connections != 0 {
                    world.violate("at rest listener \(id) counts \(load.connections)")
                }
            }
            for node in nodes { told += node.counters[ProxyError.listenerFull] }
            if refused != told { world.violate("\(refused) connections were too many, \(told) were refused") }
            if refused > 0 && world.profile.isStrict { world.violate("\(refused) refused without a reason") }
        }

        var refused: Int { Int(loads.values.reduce(0) { $0 + $1.refused }) }
    }
#endif
