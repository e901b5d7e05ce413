#if DEBUG || TESTABLE
    @testable internal import UringProxy

    // Another process takes the place of the only engine at a random moment: it listens on the same sockets, and the old one drains.
    extension Simulation {
        func planHandover(_ scenario: Scenario) {
            world.schedule(after: Int64(world.handovers.logarithmic(1...2_000_000)) * microsecond) {
                [unowned self] in
                let node = nodes[0]
                if world.isClosing || node.hasEnded || node.engine.phase != .running { return }
                // One after the other, as a server does it.
                if reloads.isUnderWay {
                    planHandover(scenario)
                    return
                }
                reloads.suspend()
                node.mail.append(
                    .pause { [unowned self] in
                        world.schedule(after: Int64(world.handovers.logarithmic(1...500_000)) * microsecond) {
                            [unowned self] in succeed(scenario)
                        }
                    })
            }
        }

        /// The other process is there, or was not able to come up.
        private func succeed(_ scenario: Scenario) {
            if world.isClosing || nodes[0].hasEnded || nodes[0].engine.phase != .running { return }
            if world.handovers.chance(20) {
                nodes[0].mail.append(.resume)
                return
            }
            world.isHandedOver = true
            // It knows nothing of what the old one has learned.
            world.absentSince = [:]
            addSuccessor(scenario)
            nodes[0].mail.append(.handOver)
        }

        private func addSuccessor(_ scenario: Scenario) {
            let wakeups: [Wakeup]
            do { wakeups = [try Wakeup()] } catch { preconditionFailure("no eventfd") }
            let registry = HealthRegistry()
            let clusters = scenario.clusters.map { renewed($0, registry) }
            self.clusters += clusters
            let snapshot = Snapshot(
                settings: scenario.settings, clusters: clusters,
                routes: [("even", scenario.routeSet(places: Array(clusters.indices)))],
                access: scenario.access,
                serverNames: scenario.serverNames(places: Array(clusters.indices)),
                clientLimit: scenario.clientLimit, accessLog: scenario.accessLog(workers: 1),
                tracing: scenario.tracing(workers: 1),
                flight: scenario.flight(workers: 1),
                makeLending: { LendingQueue(capacity: 8, wakeups: wakeups, gate: $0) })
            let arena = Arena(budgetBytes: scenario.settings.memoryBytes)
            let kernel = Kernel(world, name: "successor", arena: arena, segments: SegmentPool(arena: arena))
            let listeners = nodes[0].listeners.map { listening in
                var own = listening
                let descriptor = world.open(.listener(own.socket), owner: kernel)
                own.socket.descriptors.append(descriptor)
                own.descriptor = descriptor.number
                own.limit = 0
                return own
            }
            addNode(0, snapshot, listeners, kernel, wakeups, scenario)
        }

        /// The same cluster as another process has it.
        private func renewed(_ plan: ClusterPlan, _ registry: HealthRegistry) -> ClusterPlan {
            let names = plan.endpoints.map(\.identity)
            var retries = plan.retries
            retries.budget = registry.retryBudget(plan.name)
            return ClusterPlan(
                name: plan.name, endpoints: plan.endpoints, policy: plan.policy, hashKey: plan.hashKey,
                loadBound: plan.loadBound,
                health: plan.health.map {
                    registry.cluster(
                        plan.name, endpoints: names, settings: $0.settings,
                        priorities: PriorityPlan(plan.endpoints), now: world.now)
                }, retries: retries,
                limits: plan.limits.map { limits in
                    LimitPlan(
                        settings: limits.settings, gate: registry.gate(plan.name),
                        endpoints: limits.isCapped ? registry.caps(plan.name, endpoints: names) : [],
                        adaptive: limits.adaptive.map { registry.adaptive(plan.name, $0.settings) },
                        connectionGate: limits.connectionGate.map { _ in registry.connectionGate(plan.name) })
                }, sticky: plan.sticky, zones: plan.zones, tls: plan.tls,
                http2: plan.http2)
        }
    }
#endif
