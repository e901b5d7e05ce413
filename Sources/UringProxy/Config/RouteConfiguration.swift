/// Which requests a route takes, and what becomes of them. What is left empty holds for all; the texts are read by `Routing/`.
public struct RouteConfiguration: Sendable, Equatable {
    /// A name and what its value has to be.
    public struct Condition: Sendable, Equatable {
        public var name: String
        public var value: String

        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Another place that downstream is sent to.
    public struct Redirect: Sendable, Equatable {
        /// A URL or a path, with placeholders (`TargetTemplate.redirection`).
        public var target: String
        /// 301, 302, 303, 307 or 308.
        public var status: Int

        public init(target: String, status: Int = 308) {
            self.target = target
            self.status = status
        }
    }

    /// A cluster that some of the requests go to.
    public struct Share: Sendable, Equatable {
        public var cluster: String
        /// 0 to 1,000,000, next to those of the others.
        public var weight: Int

        public init(cluster: String, weight: Int) {
            self.cluster = cluster
            self.weight = weight
        }
    }

    /// A cluster that copies of some of the requests go to.
    public struct Mirror: Sendable, Equatable {
        public var cluster: String
        /// Percent of the requests.
        public var share: Int

        public init(cluster: String, share: Int = 100) {
            self.cluster = cluster
            self.share = share
        }
    }

    /// An answer that needs no upstream.
    public struct Response: Sendable, Equatable {
        /// 200 to 599.
        public var status: Int
        public var body: String
        /// Its Content-Type.
        public var type: String

        public init(status: Int = 200, body: String = "", type: String = "text/plain; charset=utf-8") {
            self.status = status
            self.body = body
            self.type = type
        }
    }

    /// Where else the upstream is asked.
    public struct Rewrite: Sendable, Equatable {
        /// Its path, with placeholders (`TargetTemplate.rewrite`).
        public var path: String?
        /// What stands in place of the prefix that the route's path names.
        public var prefix: String?
        /// What Host says: a host, with a port or without; `upstream`: the endpoint's.
        public var host: String?

        /// The word for the endpoint's host.
        static let upstream = "upstream"

        public init(path: String? = nil, prefix: String? = nil, host: String? = nil) {
            self.path = path
            self.prefix = prefix
            self.host = host
        }
    }

    public var hosts: [String] = []
    public var path: String?
    public var methods: [String] = []
    public var headers: [Condition] = []
    public var query: [Condition] = []
    /// Addresses, CIDR blocks and names of address sets.
    public var sources: [String] = []
    /// Codes of ISO 3166-1, of ISO 3166-2 behind the hyphen, and numbers of autonomous systems; each with `!` for any but it.
    public var countries: [String] = []
    public var regions: [String] = []
    public var autonomousSystems: [String] = []
    /// Whether the client has shown a certificate; nil: no matter.
    public var clientCertificate: Bool?

    /// Whom it lets in: who is not is answered with 403, and no other route is looked for.
    public var access = AccessConfiguration()

    // One of them.
    public var cluster: String?
    public var split: [Share] = []
    public var redirect: Redirect?
    public var response: Response?

    /// What of a request `split` chooses by; nil: it is drawn.
    public var splitKey: HashKey?
    /// Whose answers are dropped, beside the cluster that answers.
    public var mirror: Mirror?
    public var rewrite = Rewrite()
    public var requestEdits = FieldEdits()
    /// Of the upstream's answer, and of an own one.
    public var responseEdits = FieldEdits()
    public var timeouts = RouteTimeouts()
    public var limits = RouteLimits()
    /// What logs and metrics call it; nil: by its list and its place there, LIST[N].
    public var name: String?
    public var log = RouteLogConfiguration()
    /// Whether its answers tell what took how long; nil: as the configuration says for all.
    public var serverTiming: Bool?

    public init() {}
}

/// Routes under a name, in the order of the file.
public struct RouteListConfiguration: Sendable, Equatable {
    public var name: String
    public var routes: [RouteConfiguration]

    public init(name: String, routes: [RouteConfiguration] = []) {
        self.name = name
        self.routes = routes
    }
}
