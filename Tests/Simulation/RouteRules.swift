#if DEBUG || TESTABLE
    @testable internal import UringProxy

    /// Routes that ask who comes: by address, by how often, by what they know. And such as share requests among clusters. What
    /// must happen to each request is worked out here, apart from the engine.
    final class RouteRules {
        enum Rule: CaseIterable {
            /// Those of some addresses go to the first cluster, others are told that it is gone.
            case source
            /// Those of some addresses are refused.
            case closed
            /// So many in an hour, of all together or each address.
            case limited
            /// Those who show what they have to.
            case known
            /// Shared by two clusters, by chance or by address.
            case split

            var path: String {
                switch self {
                case .source: "/source"
                case .closed: "/closed"
                case .limited: "/limited"
                case .known: "/known"
                case .split: "/split"
                }
            }
        }

        /// What a client shows of itself.
        enum Credentials: CaseIterable {
            case none, basic, token, wrongBasic, wrongToken, twice

            var lines: String {
                switch self {
                case .none: ""
                // "alice:long and random", "bob:guessed"
                case .basic: "Authorization: Basic YWxpY2U6bG9uZyBhbmQgcmFuZG9t\r\n"
                case .token: "Authorization: Bearer tokenofcarol\r\n"
                case .wrongBasic: "Authorization: Basic Ym9iOmd1ZXNzZWQ=\r\n"
                case .wrongToken: "Authorization: Bearer tokenofmallory\r\n"
                case .twice: Credentials.basic.lines + Credentials.wrongBasic.lines
                }
            }

            /// Whom the proxy takes the client for; nil: for nobody.
            var user: String? {
                switch self {
                case .basic: "alice"
                case .token: "carol"
                case .none, .wrongBasic, .wrongToken, .twice: nil
                }
            }
        }

        private unowned let world: World
        /// The places of these plans in the snapshot's access.
        private static let deniesSome: Int32 = 1
        private static let limits: Int32 = 2
        private static let authenticates: Int32 = 3

        /// One bit tells those from others that `source` and `closed` ask for.
        private let chosen: [AddressPrefix]
        private let limiter: RateLimiter
        private let limitsEach: Bool
        private let burst: Int
        private let splitKey: HashKey?
        private let splitWeights: [UInt64]
        let authenticator: Authenticator
        /// Of those that answer requests.
        var lastCluster = 0

        /// Where the split has sent those of an address.
        private var clusterOf: [String: Int] = [:]

        init(_ world: World) {
            self.world = world
            // Of the four addresses of each family every other one; and whom trusted proxies name.
            var chosen: [AddressPrefix] = []
            for index in [UInt32(1), 3] {
                chosen.append(AddressPrefix(ipv4: 0x0A63_0000 | index, length: 32))
                let other = IPAddress(high: 0x2001_0DB8 << 32, low: UInt64(index))
                chosen.append(AddressPrefix(other, length: 128))
            }
            if world.rules.chance(50) { chosen.append(AddressPrefix(ipv4: 0xCB00_7100, length: 24)) }
            self.chosen = chosen
            limitsEach = world.rules.chance(50)
            burst = world.rules.within(1...3)
            limiter = RateLimiter(
                RateLimitConfiguration(
                    name: "few", rate: RequestRate(1, per: .day), burst: burst,
                    key: limitsEach ? .address : .all, size: 64), seed: world.rules.next())
            splitKey = world.rules.pick([nil, .source])
            splitWeights = world.rules.pick([[1, 1], [1, 99], [3, 1]])
            var known = AuthenticationConfiguration(name: "known")
            known.usersFile = "users"
            known.tokensFile = "tokens"
            known.userField = "X-User"
            known.cache = .seconds(1)
            authenticator = Authenticator(
                known, users: [("alice", .digest(Digest(of: Array("long and random".utf8))))],
                tokens: [("carol", Digest(of: Array("tokenofcarol".utf8)))])
        }

        /// Behind the plan that the scenario has anyway.
        func access(_ everybody: AccessPlan) -> Snapshot.Access {
            func plan(
                _ deny: [AddressPrefix]?, _ limiters: [RateLimiter] = [],
                _ authenticator: Int32 = AccessPlan.none
            ) -> AccessPlan {
                AccessPlan(
                    path: "rules", addresses: AddressRules(allow: nil, deny: deny),
                    limits: limiters.map { ($0, .enforce) }, authenticator: authenticator)
            }
            return Snapshot.Access(
                plans: [everybody, plan(chosen), plan(nil, [limiter]), plan(nil, [], 0)],
                authenticators: [authenticator])
        }

        /// - Parameters:
        ///   - first: the place of the first cluster in the snapshot.
        ///   - last: of the last one that answers requests.
        func routes(first: Int, last: Int) throws(OptionSyntaxError) -> [RouteDefinition] {
            var routes: [RouteDefinition] = []
            for rule in Rule.allCases {
                var condition = RouteRule()
                condition.path = try PathPattern(parsing: rule.path + "/*")
                if rule == .source { condition.sources = chosen }
                var route = RouteDefinition(rule: condition, action: .proxy(cluster: last))
                switch rule {
                case .source: route.action = .proxy(cluster: first)
                case .closed: route.access = Self.deniesSome
                case .limited: route.access = Self.limits
                case .known: route.access = Self.authenticates
                case .split:
                    let shares = zip([first, last], splitWeights).map {
                        ClusterSplit.Share(cluster: $0, name: "share-\($0)", weight: $1)
                    }
                    route.action = .split(
                        ClusterSplit(shares: first == last ? [shares[0]] : shares, key: splitKey))
                }
                routes.append(route)
                if rule == .source {
                    condition.sources = []
                    let gone = FixedReply(status: 410, body: Array("gone".utf8), type: "text/plain")
                    routes.append(RouteDefinition(rule: condition, action: .fixed(gone)))
                }
            }
            return routes
        }

        // MARK: - What must happen

        /// The client's address is known: what becomes of its request is as well.
        func judge(_ plan: ExchangePlan, from address: IPAddress) {
            guard let rule = plan.rule else { return }
            let isChosen = chosen.contains { $0.contains(address) }
            plan.cluster = lastCluster
            switch rule {
            case .source:
                plan.cluster = 0
                plan.refusal = isChosen ? nil : 410
            case .closed: plan.refusal = isChosen ? 403 : nil
            case .limited: plan.bucket = limitsEach ? address.description : ""
            case .known: plan.refusal = plan.shown.user == nil ? 401 : nil
            case .split:
                plan.cluster = nil
                plan.shares = [0, lastCluster]
                plan.bucket = splitKey == nil ? nil : address.description
            }
        }

        /// A request has come to an origin of a cluster.
        func arrived(_ plan: ExchangePlan, at cluster: Int?) {
            if let refusal = plan.refusal {
                world.violate("request \(plan.number) was to be answered \(refusal), and came to an origin")
            }
            if let shares = plan.shares {
                guard let cluster, shares.contains(cluster) else {
                    world.violate("request \(plan.number), to be shared by \(shares), came elsewhere")
                    return
                }
                if let bucket = plan.bucket {
                    if clusterOf[bucket, default: cluster] != cluster {
                        world.violate("requests of \(bucket) come to cluster \(cluster) and another one")
                    }
                    clusterOf[bucket] = cluster
                }
            }
            guard plan.rule == .limited, plan.arrivals == 1, let bucket = plan.bucket else { return }
            // Less than a day passes.
            let count = world.plans.count { $0.rule == .limited && $0.bucket == bucket && $0.arrivals > 0 }
            if count > burst { world.violate("\(count) requests of '\(bucket)' passed where \(burst) may") }
        }

        /// Whether the proxy may have answered this itself, nothing having gone wrong.
        func expects(_ status: Int, to plan: ExchangePlan) -> Bool {
            if let refusal = plan.refusal { return status == refusal }
            guard plan.rule == .limited, status == 429 else { return false }
            if plan.arrivals > 0 {
                world.violate("request \(plan.number) was refused, and came to an origin")
            }
            let count = world.plans.count {
                $0.rule == .limited && $0.bucket == plan.bucket && $0.beganSending
            }
            if count <= burst {
                world.violate("\(count) requests of '\(plan.bucket ?? "")' are too many for \(burst)")
            }
            return true
        }
    }
#endif
