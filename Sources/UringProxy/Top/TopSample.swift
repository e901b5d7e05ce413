/// How things stood at a moment: what the admin listener said (`GET /api/v1/overview`). What is absent there, as another version has
/// it, is 0 or empty here.
///
/// Texts are as they can be shown: a path is what a client chose, and controls in it would be a terminal's commands.
struct TopSample: Sendable {
    struct Process: Sendable {
        var version = ""
        var pid = 0
        var isReady = true
        /// Seconds since 1970, by its own clock.
        var now = 0.0
        var uptime = 0.0
        var cpuSeconds = 0.0
        var residentBytes = 0.0
        var openDescriptors = 0.0
        var descriptorLimit = 0.0
        var engine = ""
        var reloads = 0.0
        var reloadsRefused = 0.0
    }

    struct Worker: Sendable {
        var number = 0
        var isLate = false
        /// Counts since its start, and how things stand, by their names.
        var numbers: [String: Double] = [:]

        subscript(name: String) -> Double { numbers[name] ?? 0 }
    }

    struct Listener: Sendable {
        var address = ""
        var role = ""
        var counts = TopCounts()
    }

    struct Endpoint: Sendable {
        var name = ""
        var weight = 0
        var state = ""
        /// Why it is out of service, and for how long still.
        var ejectedFor = ""
        var ejectedUntil = 0.0
        var idle = 0.0
        var inUse = 0.0
        var waiting = 0.0
        var counts = TopCounts()

        /// Whether it is given requests.
        var isUp: Bool { state == "healthy" || state == "on_trial" }
    }

    struct Cluster: Sendable {
        var name = ""
        var balance = ""
        var isInPanic = false
        var queued = 0.0
        var counts = TopCounts()
        var endpoints: [Endpoint] = []
    }

    /// An exchange under way.
    struct Exchange: Sendable {
        /// Empty: it has none.
        var id = ""
        var worker = 0
        var age = 0.0
        var state = ""
        var waitsFor = ""
        var stage = ""
        var stageAge = 0.0
        var kind = ""
        var version = ""
        var method = ""
        var host = ""
        var path = ""
        var client = ""
        var listener = ""
        var route = ""
        var cluster = ""
        var endpoint = ""
        var attempts = 0
        var requestBytes = 0.0

        /// What is asked for; of a relay, who asks.
        var request: String {
            let target = host + path
            if method.isEmpty && target.isEmpty { return "\(version) of \(client)" }
            return target.isEmpty ? method : "\(method) \(target)"
        }
    }

    var process = Process()
    var workers: [Worker] = []
    var counters: [String: Double] = [:]
    var failures: [String: Double] = [:]
    /// By phase.
    var downstream: [String: Double] = [:]
    var upstream: [String: Double] = [:]
    var exchangeStates: [String: Double] = [:]
    var memory: [String: Double] = [:]
    /// Of histograms, in seconds.
    var bounds: [Double] = []
    var listeners: [Listener] = []
    var clusters: [Cluster] = []
    var underWay = 0.0
    /// The oldest first.
    var exchanges: [Exchange] = []

    /// What all exchanges came to; each counts once, by its listener.
    var total: TopCounts { listeners.reduce(into: TopCounts()) { $0.add($1.counts) } }

    /// - Returns: nil if this is no overview.
    init?(_ json: JSONValue) {
        guard let process = json["process"], process["pid"]?.number != nil, json["counters"] != nil else {
            return nil
        }
        self.process = Process(process)
        workers = json.list("workers").map(Worker.init)
        counters = json.shownNumbers("counters")
        failures = json.shownNumbers("failures")
        downstream = json["connections"]?.shownNumbers("downstream") ?? [:]
        upstream = json["connections"]?.shownNumbers("upstream") ?? [:]
        exchangeStates = json.shownNumbers("exchange_states")
        memory = json.shownNumbers("memory")
        bounds = json.list("bounds").compactMap(\.number)
        listeners = json.list("listeners").map(Listener.init)
        clusters = json.list("clusters").map(Cluster.init)
        underWay = json.amount("exchanges_under_way")
        exchanges = json.list("exchanges").map(Exchange.init)
    }
}

extension TopSample.Process {
    fileprivate init(_ json: JSONValue) {
        version = json.shown("version")
        pid = json.count("pid")
        isReady = json["ready"]?.boolean ?? true
        now = json.amount("now")
        uptime = json.amount("uptime_seconds")
        cpuSeconds = json.amount("cpu_seconds")
        residentBytes = json.amount("resident_bytes")
        openDescriptors = json.amount("open_descriptors")
        descriptorLimit = json.amount("descriptor_limit")
        engine = json.shown("engine")
        reloads = json.amount("configuration_reloads")
        reloadsRefused = json.amount("configuration_reloads_refused")
    }
}

extension TopSample.Worker {
    fileprivate init(_ json: JSONValue) {
        number = json.count("worker")
        isLate = json["late"]?.boolean ?? false
        numbers = json.numbers
    }
}

extension TopSample.Listener {
    fileprivate init(_ json: JSONValue) {
        address = json.shown("address")
        role = json.shown("role")
        counts = TopCounts(json)
    }
}

extension TopSample.Cluster {
    fileprivate init(_ json: JSONValue) {
        name = json.shown("name")
        balance = json.shown("balance")
        isInPanic = json["panic"]?.boolean ?? false
        queued = json.amount("queued")
        counts = TopCounts(json)
        endpoints = json.list("endpoints").map(TopSample.Endpoint.init)
    }
}

extension TopSample.Endpoint {
    fileprivate init(_ json: JSONValue) {
        name = json.shown("endpoint")
        weight = json.count("weight")
        state = json.shown("state")
        ejectedFor = json.shown("ejected_for")
        ejectedUntil = json.amount("ejected_until_seconds")
        idle = json.amount("idle")
        inUse = json.amount("in_use")
        waiting = json.amount("waiting")
        counts = TopCounts(json)
    }
}

extension TopSample.Exchange {
    fileprivate init(_ json: JSONValue) {
        id = json.shown("id")
        worker = json.count("worker")
        age = json.amount("age")
        state = json.shown("state")
        waitsFor = json.shown("waits_for")
        stage = json.shown("stage")
        stageAge = json.amount("stage_age")
        kind = json.shown("kind")
        version = json.shown("protocol")
        method = json.shown("method")
        host = json.shown("host")
        path = json.shown("path")
        client = json.shown("client")
        listener = json.shown("listener")
        route = json.shown("route")
        cluster = json.shown("cluster")
        endpoint = json.shown("endpoint")
        attempts = json.count("attempts")
        requestBytes = json.amount("request_bytes")
    }
}

extension JSONValue {
    /// Of printable ASCII, whatever was said.
    fileprivate func shown(_ name: String) -> String { TopText.shown(self[name]?.string ?? "") }
    fileprivate func amount(_ name: String) -> Double { self[name]?.number ?? 0 }
    fileprivate func count(_ name: String) -> Int { Int(exactly: amount(name).rounded()) ?? 0 }
    fileprivate func list(_ name: String) -> [JSONValue] { self[name]?.items ?? [] }

    fileprivate func shownNumbers(_ name: String) -> [String: Double] {
        let numbers = self[name]?.numbers ?? [:]
        return Dictionary(numbers.map { (TopText.shown($0.key), $0.value) }) { first, _ in first }
    }
}
