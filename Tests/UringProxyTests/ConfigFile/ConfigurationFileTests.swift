import TestSupport
import Testing

@testable import UringProxy

@Suite("Configuration file")
struct ConfigurationFileTests {
    private static let environment = [
        "PORT": "9001", "WORD": "word", "EMPTY": "", "INJECT": "1\nlimits: {body: 1}",
    ]

    /// Reads the file of this name out of a table of texts.
    private static func read(
        _ files: [String: String], _ name: String = "f.yaml"
    ) -> Result<ConfigurationFile, FileProblems> {
        let texts = ConfigurationText(
            read: { path in
                files[path].map { .success(Array($0.utf8)) } ?? .failure(.init(call: "open", errno: 2))
            },
            match: { pattern in
                let (head, tail) = (pattern.prefix { $0 != "*" }, pattern.drop { $0 != "*" }.dropFirst())
                return files.keys.filter {
                    $0.hasPrefix(head) && $0.hasSuffix(tail) && !$0.dropFirst(head.count).contains("/")
                }.sorted()
            })
        do throws(FileProblems) {
            return .success(try ConfigurationFile(reading: name, from: texts) { environment[$0] })
        } catch { return .failure(error) }
    }

    /// Everything that is said about a file.
    private static func problems(_ files: [String: String]) -> [String] {
        switch read(files) {
        case .success(let file): file.problems(with: file.configuration).map(\.description)
        case .failure(let problems): problems.all.map(\.description)
        }
    }

    @Test(
        "A file that cannot work is told every problem, its place, and what to write instead",
        arguments: BadFiles.all)
    func bad(_ bad: BadFiles.Case) {
        #expect(Self.problems(["f.yaml": bad.text]) == bad.problems)
    }

    @Test("At least 80 files that cannot work are tried")
    func count() { #expect(BadFiles.all.count >= 80) }

    @Test("Cut off anywhere, or with any byte changed, a file is read or refused, and never worse")
    func cutAndChanged() {
        let text = Array(Self.whole.utf8)
        for size in 0..<text.count {
            let problems = Self.problems(["f.yaml": String(decoding: text[..<size], as: UTF8.self)])
            if size == 0 { #expect(problems.count == 1) }
        }
        var random = SplitMix(seed: 7)
        for _ in 0..<2000 {
            var changed = text
            for _ in 0..<3 {
                changed[Int.random(in: 0..<changed.count, using: &random)] = UInt8.random(
                    in: 0..<128, using: &random)
            }
            _ = Self.problems(["f.yaml": String(decoding: changed, as: UTF8.self)])
        }
    }

    /// Something for every section.
    private static let whole = """
        # A site and a forward proxy
        listeners:
          - address: 127.0.0.1:8081
            cluster: app
          - {address: "127.0.0.1:443", role: tcp, cluster: app, sni: [{names: [a.example, "*.b.example"], cluster: other}, {names: c.example, cluster: app}]}
          - {address: "unix:/tmp/p", role: forward, parent: app, max_connections: 5000, authentication: staff, rate_limit: [each, net], allow: [office, 192.0.2.0/24], deny: home}
        clusters:
          app:
            endpoints: ["127.0.0.1:${PORT}", 'unix:/run/app.sock', {address: h:3, weight: 2, zone: a-1, priority: 3}, "h:4,zone=b"]
            zone_threshold: 60%
            preferred_zones: [{zone: b, source: [office, 192.0.2.0/24]}, {zone: a-1}]
          other: {endpoints: ["app.internal:9000,weight=3", h:1], balance: ring-hash, hash_key: "header:X-User"}
          watched:
            endpoints: h:2
            health: {type: http, path: /up, host: h, statuses: [200, 301-302], body: ok, interval: 1s, jitter: 5%, timeout: 500ms, rise: 4, fall: 5}
            outliers: {consecutive: 7, statuses: gateway, error_rate: 50%, latency_factor: 4, minimum_requests: 9, window: 20s, ejection: 30s, ejection_max: 1h, max_ejected: 25%}
            panic: 0
            slow_start: 40s
            sticky: {cookie: SRV, path: /a, max_age: 1h, http_only: off, secure: on, same_site: strict, key_file: /proc/version}
            retries: {on: [reset, 5xx, 429], attempts: 4, try_timeout: 2s, hedge_after: 75ms, non_idempotent: on, budget: 30%, min_per_second: 12}
            limits: {requests: 100, connections: 60, endpoint_requests: 30, queue: 20, queue_timeout: 250ms, adaptive: {min: 7, max: 90, buffer: 40%, window: 50ms, remeasure: 2m}}
        zone: b
        routes:
          site:
            - match: {path: "/a/*"}
              cluster: app
              rewrite: {prefix: /b, host: upstream}
              request: {set: {X-A: "{path}"}, add: {X-B: [a, b], X-C: c}, remove: [Cookie]}
              response: {remove: [Server, X-Powered-By]}
              timeouts: {upstream: 5s, total: 0}
              limits: {body: 1KiB}
            - {redirect: {to: /x}}
            - {match: {path: /s}, split: [{cluster: app, weight: 9}, {cluster: other, weight: 1}], split_by: "cookie:id", mirror: {cluster: watched, share: 10%}}
        route_defaults: {site: {response: {set: {Strict-Transport-Security: max-age=60}}}}
        rate_limits:
          each: {rate: 100/s, burst: 200, size: 2k}
          net: {rate: 30/m, key: "prefix:20/56", mode: observe}
          key: {rate: 5/d, key: "header:X-Key"}
        authentication: {staff: {realm: a b, tokens_file: /dev/null, user_field: X-User, pass_credentials: on, cache: 1m}}
        address_sets: {office: [10.0.0.0/8, "unix:"], home: 192.0.2.1}
        trust: {proxy_protocol: require, proxy_protocol_from: 10.0.0.0/8, proxies: [10.0.0.1, "unix:"], field: forwarded, upstream_proxy_protocol: v2, upstream_proxy_tlvs: [authority, cert-cn]}
        admin: {address: "[::1]:9901"}
        engine: {threads: 2, io: epoll, pin: off, memory: 64MiB, busy_poll: 50us, zero_copy: auto, kernel_tls: on, splice: off, pid_file: /run/u.pid}
        timeouts: {head: 10s, tls_handshake: 20s, body_idle: 0, drain: 2m, drain_delay: 5s, upgrade: 20s}
        limits: {head: 16KiB, fields: 64, body: 1GiB, rate_min: "1KiB:20s", connections: 1000, mirrored: 7}
        pools: {idle: 8, idle_timeout: 5s, lend: false}
        forward: {allow: ["*", 10.1.0.0/16], deny: ":25", parent: other, direct: [10.0.0.0/8, "*.in"], parent_authorization: pass}
        dns: {servers: 192.0.2.53}
        fields: {via: edge, x_forwarded: replace, forwarded: append}
        """

    private static var watchedCluster: ClusterConfiguration {
        var cluster = ClusterConfiguration(name: "watched", endpoints: ["h:2"])
        var check = HealthCheckConfiguration()
        check.path = "/up"
        check.host = "h"
        check.statuses = [StatusRange(200...200), StatusRange(301...302)]
        check.body = "ok"
        check.interval = .seconds(1)
        check.jitter = 5
        check.timeout = .milliseconds(500)
        check.rise = 4
        check.fall = 5
        cluster.health = check
        var sticky = StickyConfiguration(cookie: "SRV")
        sticky.path = "/a"
        sticky.maxAge = .hours(1)
        sticky.httpOnly = false
        sticky.secure = true
        sticky.sameSite = .strict
        sticky.keyFile = "/proc/version"
        cluster.sticky = sticky
        cluster.outliers.consecutive = 7
        cluster.outliers.statuses = .gateway
        cluster.outliers.errorRate = 50
        cluster.outliers.latencyFactor = 4
        cluster.outliers.minimumRequests = 9
        cluster.outliers.window = .seconds(20)
        cluster.outliers.ejection = .seconds(30)
        cluster.outliers.longestEjection = .hours(1)
        cluster.outliers.mostEjected = 25
        cluster.panic = 0
        cluster.slowStart = .seconds(40)
        cluster.retries.on = [.reset, .server, .tooManyRequests]
        cluster.retries.attempts = 4
        cluster.retries.hedgeAfter = .milliseconds(75)
        cluster.retries.tryTimeout = .seconds(2)
        cluster.retries.nonIdempotent = true
        cluster.retries.budget = 30
        cluster.retries.minimum = 12
        cluster.limits.requests = 100
        cluster.limits.connections = 60
        cluster.limits.endpointRequests = 30
        cluster.limits.queue = 20
        cluster.limits.queueTimeout = .milliseconds(250)
        var adaptive = AdaptiveLimitConfiguration()
        adaptive.lowest = 7
        adaptive.highest = 90
        adaptive.buffer = 40
        adaptive.window = .milliseconds(50)
        adaptive.remeasure = .minutes(2)
        cluster.limits.adaptive = adaptive
        return cluster
    }

    private static var wholeConfiguration: Configuration {
        var expected = Configuration()
        expected.listeners = [
            ListenerConfiguration(address: "127.0.0.1:8081", cluster: "app"),
            ListenerConfiguration(address: "127.0.0.1:443", role: .tcp, cluster: "app"),
            ListenerConfiguration(address: "unix:/tmp/p", role: .forward, parent: "app"),
        ]
        expected.listeners[1].serverNames = [
            ServerNameRule(names: ["a.example", "*.b.example"], cluster: "other"),
            ServerNameRule(names: ["c.example"], cluster: "app"),
        ]
        expected.listeners[2].maxConnections = 5000
        expected.listeners[2].access = AccessConfiguration(
            allow: ["office", "192.0.2.0/24"], deny: ["home"], rateLimits: ["each", "net"],
            authentication: "staff")
        var staff = AuthenticationConfiguration(name: "staff")
        staff.realm = "a b"
        staff.tokensFile = "/dev/null"
        staff.userField = "X-User"
        staff.passesCredentials = true
        staff.cache = .minutes(1)
        expected.authentication = [staff]
        expected.rateLimits = [
            RateLimitConfiguration(name: "each", rate: RequestRate(100), burst: 200, size: 2000),
            RateLimitConfiguration(
                name: "net", rate: RequestRate(30, per: .minute), key: .prefix(ipv4: 20, ipv6: 56),
                mode: .observe),
            RateLimitConfiguration(name: "key", rate: RequestRate(5, per: .day), key: .header("x-key")),
        ]
        expected.addressSets = [
            AddressSetConfiguration(name: "office", items: ["10.0.0.0/8", "unix:"]),
            AddressSetConfiguration(name: "home", items: ["192.0.2.1"]),
        ]
        expected.clusters = [
            ClusterConfiguration(
                name: "app",
                endpoints: [
                    "127.0.0.1:9001", "unix:/run/app.sock", "h:3,weight=2,zone=a-1,priority=3", "h:4,zone=b",
                ]),
            ClusterConfiguration(
                name: "other", endpoints: ["app.internal:9000,weight=3", "h:1"], balance: .ringHash,
                hashKey: .header("x-user")),
            watchedCluster,
        ]
        expected.clusters[0].zoneThreshold = 60
        expected.clusters[0].preferredZones = [PreferredZone(zone: "b"), PreferredZone(zone: "a-1")]
        expected.clusters[0].preferredZones[0].sources = ["office", "192.0.2.0/24"]
        expected.zone = "b"
        var rewritten = RouteConfiguration()
        rewritten.path = "/a/*"
        rewritten.cluster = "app"
        rewritten.rewrite = .init(prefix: "/b", host: "upstream")
        rewritten.requestEdits = FieldEdits(
            set: [.init(name: "X-A", value: "{path}")],
            add: [
                .init(name: "X-B", value: "a"), .init(name: "X-B", value: "b"),
                .init(name: "X-C", value: "c"),
            ], remove: ["Cookie"])
        rewritten.timeouts.upstream = .seconds(5)
        rewritten.timeouts.total = .zero
        rewritten.limits.bodyBytes = 1024
        rewritten.responseEdits.remove = ["Server", "X-Powered-By"]
        var redirected = RouteConfiguration()
        redirected.redirect = .init(target: "/x")
        var shared = RouteConfiguration()
        shared.path = "/s"
        shared.split = [.init(cluster: "app", weight: 9), .init(cluster: "other", weight: 1)]
        shared.splitKey = .cookie("id")
        shared.mirror = .init(cluster: "watched", share: 10)
        expected.routes = [RouteListConfiguration(name: "site", routes: [rewritten, redirected, shared])]
        var defaults = RouteDefaults(name: "site")
        defaults.response.set = [.init(name: "Strict-Transport-Security", value: "max-age=60")]
        expected.routeDefaults = [defaults]
        expected.trust.proxyProtocol = .require
        expected.trust.proxyProtocolFrom = ["10.0.0.0/8"]
        expected.trust.trustedProxies = ["10.0.0.1", "unix:"]
        expected.trust.trustedField = .forwarded
        expected.upstreamProxyProtocol = .v2
        expected.upstreamProxyTLVs = [.authority, .commonName]
        expected.adminAddress = "[::1]:9901"
        expected.threads = 2
        expected.io = .epoll
        expected.pin = false
        expected.memoryBytes = 64 << 20
        expected.busyPoll = Nanoseconds(50_000)
        expected.zeroCopy = .auto
        expected.kernelTLS = .on
        expected.splice = .off
        expected.timeoutHead = .seconds(10)
        expected.timeoutTLSHandshake = .seconds(20)
        expected.timeoutBodyIdle = .zero
        expected.timeoutDrain = .minutes(2)
        expected.timeoutDrainDelay = .seconds(5)
        expected.timeoutUpgrade = .seconds(20)
        expected.pidFile = "/run/u.pid"
        expected.limitHeadBytes = 16 << 10
        expected.limitFields = 64
        expected.limitBodyBytes = 1 << 30
        expected.limitRateMin = MinimumRate(bytesPerSecond: 1024, grace: .seconds(20))
        expected.limitConnections = 1000
        expected.limitMirrored = 7
        expected.poolIdle = 8
        expected.poolIdleTimeout = .seconds(5)
        expected.poolLend = false
        expected.allowDestinations = ["*", "10.1.0.0/16"]
        expected.denyDestinations = [":25"]
        expected.parent = "other"
        expected.directDestinations = ["10.0.0.0/8", "*.in"]
        expected.parentAuthorization = .pass
        expected.dnsServers = ["192.0.2.53"]
        expected.via = "edge"
        expected.xForwarded = .replace
        expected.forwarded = .append
        return expected
    }

    @Test("Every section says what its option says")
    func everySection() throws {
        let file = try Self.read(["f.yaml": Self.whole]).get()
        #expect(file.configuration == Self.wholeConfiguration)
        #expect(file.problems(with: file.configuration) == [])
        #expect(file.origin(of: "timeouts.drain")?.description == "f.yaml:44:64")
        #expect(file.origin(of: "clusters.app.endpoints[1]")?.description == "f.yaml:9:38")
    }

    @Test("What is printed can be read again and is the same, with the origin of each value")
    func printed() throws {
        let file = try Self.read(["f.yaml": Self.whole]).get()
        var configuration = file.configuration
        configuration.timeoutTotal = .seconds(90)
        let text = ConfigurationPrinter(configuration, file: file).text
        #expect(try Self.read(["f.yaml": text]).get().configuration == configuration)
        let lines = text.split(separator: "\n")
        func origin(_ start: String) -> String? {
            lines.first { $0.drop { $0 == " " }.hasPrefix(start) }?.split(separator: "#").last.map {
                String(trimmed($0))
            }
        }
        #expect(origin("total: 90s") == "--timeout-total")
        #expect(origin("drain: 2m") == "f.yaml:44" || origin("drain: 120s") == "f.yaml:44")
        #expect(origin("keepalive:") == "default")
        #expect(origin("- address: 127.0.0.1:8081") == "f.yaml:3")
        // The defaults alone as well.
        let defaults = Configuration()
        let printed = ConfigurationPrinter(defaults, file: nil).text
        #expect(try Self.read(["f.yaml": printed]).get().configuration == defaults)
    }

    @Test("What is said of TLS is read and printed, with paths that are relative to the file")
    func tls() throws {
        let text = """
            listeners:
              - address: 127.0.0.1:8443
                cluster: app
                tls:
                  certificates: [{cert: a.pem, key: /etc/a.key}, {cert: ../b.pem, key: b.key, ocsp: b.ocsp}]
                  min_version: 1.3
                  ciphers: HIGH
                  cipher_suites: TLS_AES_128_GCM_SHA256
                  client_certificates: {ca: ca.pem, mode: optional, depth: 2, crl: crl.pem}
                  session_tickets: off
                  ticket_keys: [a, /b]
                  ticket_rotation: 2h
            """
        let file = try Self.read(["conf/f.yaml": text], "conf/f.yaml").get()
        var expected = TLSConfiguration(
            certificates: [
                .init(certificatePath: "conf/a.pem", keyPath: "/etc/a.key"),
                .init(certificatePath: "conf/../b.pem", keyPath: "conf/b.key", responsePath: "conf/b.ocsp"),
            ])
        expected.minVersion = .tls13
        expected.ciphers = "HIGH"
        expected.cipherSuites = "TLS_AES_128_GCM_SHA256"
        expected.clientCertificates = .init(authorityPath: "conf/ca.pem")
        expected.clientCertificates?.mode = .optional
        expected.clientCertificates?.depth = 2
        expected.clientCertificates?.revocationsPath = "conf/crl.pem"
        expected.sessionTickets = false
        expected.ticketKeyPaths = ["conf/a", "/b"]
        expected.ticketRotation = .hours(2)
        #expect(file.configuration.listeners[0].tls == expected)
        let printed = ConfigurationPrinter(file.configuration, file: file).text
        #expect(try Self.read(["f.yaml": printed]).get().configuration == file.configuration)
    }

    @Test("What is said of a cluster's TLS is read, printed and explained")
    func upstreamTLS() throws {
        let text = """
            listeners: [{address: "127.0.0.1:1", cluster: a}, {address: "127.0.0.1:2", cluster: b}]
            clusters:
              a: {endpoints: "a.test:443", tls: {}}
              b:
                endpoints: "10.0.0.1:443"
                tls: {server_name: b.test, ca: ca.pem, cert: own.pem, key: /etc/own.key, min_version: 1.3, cipher_suites: TLS_AES_128_GCM_SHA256}
              c: {endpoints: "c.test:443", tls: {verify: off, ciphers: HIGH}}
            """
        let file = try Self.read(["conf/f.yaml": text], "conf/f.yaml").get()
        let clusters = file.configuration.clusters
        #expect(clusters[0].tls == UpstreamTLSConfiguration())
        var expected = UpstreamTLSConfiguration()
        expected.serverName = "b.test"
        expected.rootsPath = "conf/ca.pem"
        expected.certificatePath = "conf/own.pem"
        expected.keyPath = "/etc/own.key"
        expected.minVersion = .tls13
        expected.cipherSuites = "TLS_AES_128_GCM_SHA256"
        #expect(clusters[1].tls == expected)
        var careless = UpstreamTLSConfiguration()
        careless.verifies = false
        careless.ciphers = "HIGH"
        #expect(clusters[2].tls == careless)
        let printed = ConfigurationPrinter(file.configuration, file: file).text
        #expect(try Self.read(["f.yaml": printed]).get().configuration == file.configuration)
        func lines(_ listener: Int) throws -> [String] {
            var query = ExplanationQuery(target: "/")
            query.fields = ["Host: h"]
            query.source = "192.0.2.7"
            query.listener = "127.0.0.1:\(listener)"
            return try Explanation(query, configuration: file.configuration, file: file)
                .text.split(separator: "\n").map { String(trimmed($0)) }
        }
        #expect(
            try lines(1).contains {
                $0.hasSuffix(
                    "1.2 and newer; the certificate has to be for the endpoint's host, by an authority of the system"
                )
            })
        #expect(
            try lines(2).contains {
                $0.hasSuffix(
                    "1.3 and newer; the certificate has to be for b.test, by an authority in conf/ca.pem; who asks for a certificate is shown conf/own.pem"
                )
            })
        #expect(try lines(2).contains("conf/f.yaml:6, clusters.b.tls"))
    }

    @Test("An explanation names the line or the option of each value, and no line for what is a default")
    func explained() throws {
        let text = """
            listeners: [{address: "127.0.0.1:1"}]
            clusters:
              a:
                endpoints: ["127.0.0.1:8", "127.0.0.1:9"]
                balance: random
            timeouts:
              upstream: 20s
              head: 10s
            """
        let file = try Self.read(["f.yaml": text]).get()
        var configuration = file.configuration
        configuration.timeoutTotal = .seconds(90)
        var query = ExplanationQuery(target: "/")
        query.fields = ["Host: h"]
        let lines = try Explanation(query, configuration: configuration, file: file).text.split(
            separator: "\n"
        ).map { trimmed($0) }
        func origin(_ label: String) -> String? {
            lines.firstIndex { $0.hasPrefix("\(label) ") }.map { String(lines[$0 + 1]) }
        }
        #expect(origin("listener") == "f.yaml:1, listeners[0]")
        #expect(origin("endpoints") == "f.yaml:4, clusters.a.endpoints")
        #expect(origin("response") == "f.yaml:7, timeouts.upstream")
        #expect(origin("exchange") == "--timeout-total, timeouts.total")
        for label in ["outliers", "panic", "connect"] {
            #expect(origin(label) == "an option, or the default", "\(label)")
        }
        #expect(lines.contains { $0.hasSuffix("else the next endpoint, or 504") })
        configuration.clusters[0].endpoints.removeLast()
        let alone = try Explanation(query, configuration: configuration, file: file).text
        #expect(alone.contains("within \(configuration.timeoutConnect), else 504"), "\(alone)")
    }

    @Test(
        "Where endpoints are found is printed and explained, and a file stands beside the one that names it")
    func discovery() throws {
        let text = """
            listeners: [{address: "127.0.0.1:1", cluster: a}, {address: "127.0.0.1:2", cluster: b}, {address: "127.0.0.1:3", cluster: c}]
            clusters:
              a:
                discovery: {dns: "app.test:80", refresh_max: 30s}
              b:
                discovery: {srv: _http._tcp.app.test, wait: 0}
              c:
                discovery: {file: c.endpoints}
            """
        let file = try Self.read(["conf/f.yaml": text], "conf/f.yaml").get()
        #expect(file.configuration.clusters[2].discovery?.file == "conf/c.endpoints")
        #expect(file.configuration.validate().isEmpty)
        let printed = ConfigurationPrinter(file.configuration, file: file).text
        #expect(
            try Self.read(["f.yaml": printed]).get().configuration.clusters[..<2]
                == file.configuration.clusters[..<2])
        func lines(_ listener: Int) throws -> [String] {
            var query = ExplanationQuery(target: "/")
            query.fields = ["Host: h"]
            query.source = "192.0.2.7"
            query.listener = "127.0.0.1:\(listener)"
            return try Explanation(query, configuration: file.configuration, file: file)
                .text.split(separator: "\n").map { String(trimmed($0)) }
        }
        let ofNames = try lines(1)
        #expect(ofNames.contains { $0.hasSuffix("the addresses of app.test:80, round-robin") })
        #expect(ofNames.contains("conf/f.yaml:4, clusters.a.discovery"))
        #expect(
            ofNames.contains {
                $0.hasSuffix("a start waits up to 5s for the first, and the answer is 503 until then")
            })
        #expect(ofNames.contains { $0.hasSuffix("else the next endpoint, or 504") })
        let ofServices = try lines(2)
        #expect(ofServices.contains { $0.hasSuffix("the SRV records of _http._tcp.app.test, round-robin") })
        #expect(
            ofServices.contains {
                $0.hasSuffix("a start does not wait for the first, and the answer is 503 until then")
            })
        #expect(try lines(3).contains { $0.hasSuffix("the lines of conf/c.endpoints, round-robin") })
    }

    @Test("Every option of a value has its key, and every key its option")
    func optionsAndKeys() {
        let paths = ConfigurationSchema.pathOfOption
        let inSections = ConfigurationSchema.sections.reduce(0) { $0 + $1.keys.count { $0.option != nil } }
        #expect(paths.count == inSections + AccessLogSchema.optionOfKey.count)
        #expect(paths["--access-log"] == "access_log.to")
        #expect(paths["--limit-connections-per-client"] == "limits.connections_per_client")
        let inFile = Set(ConfigurationSchema.keys.map(\.name))
        #expect(inFile.isSuperset(of: ConfigurationSchema.sections.map(\.name)))
    }

    @Test("Options go before the file, and a problem that they make is told of them")
    func optionsGoFirst() throws {
        let file = try Self.read(["f.yaml": "limits: {head: 2KiB, uri: 1KiB}\n"]).get()
        var configuration = file.configuration
        configuration.limitURIBytes = 4096
        #expect(
            file.problems(with: configuration).map(\.description) == [
                "f.yaml:1:27: limits.uri: 4KiB does not fit limits.head (2KiB); lower it, raise limits.head, or give 0 to let the head's limit bound it"
            ])
    }

    @Test("Countries are texts, whatever else their letters may mean, and databases stand beside their file")
    func geo() throws {
        let text = """
            routes: {s: [{respond: {}, match: {geo: {country: [NO, DE, "!fr"], region: 1, asn: [64512, AS7]}}}]}
            geo: {databases: [a.mmdb, /b.mmdb]}
            """
        let file = try Self.read(["conf/f.yaml": text], "conf/f.yaml").get()
        let route = file.configuration.routes[0].routes[0]
        #expect(route.countries == ["NO", "DE", "!fr"])
        #expect(route.regions == ["1"] && route.autonomousSystems == ["64512", "AS7"])
        #expect(file.configuration.geoDatabases == ["conf/a.mmdb", "/b.mmdb"])
        let printed = ConfigurationPrinter(file.configuration, file: file).text
        let again = try Self.read(["f.yaml": printed]).get().configuration
        #expect(again.routes == file.configuration.routes)
        #expect(again.geoDatabases == file.configuration.geoDatabases)
    }

    // MARK: - The environment

    @Test("Variables of the environment fill in values and cannot add keys")
    func environmentVariables() throws {
        let text = """
            clusters: {app: {endpoints: ["127.0.0.1:${PORT}", "${HOST:-localhost}:${PORT:-1}", "unix:/run/$${x}"]}}
            """
        let file = try Self.read(["f.yaml": text]).get()
        #expect(
            file.configuration.clusters[0].endpoints == [
                "127.0.0.1:9001", "localhost:9001", "unix:/run/${x}",
            ])
        let problems = Self.problems(["f.yaml": "limits: {fields: '${INJECT}'}\n"])
        #expect(problems.count == 1 && problems[0].contains("is no whole number"))
    }

    // MARK: - Includes

    @Test("Included files are as if they stood there: lists are joined, sections come together")
    func includes() throws {
        let file = try Self.read([
            "f.yaml":
                "include: [conf.d/*.yaml, common.yaml]\nclusters: {a: {endpoints: 'h:1'}}\nlimits: {fields: 3}\n",
            "common.yaml": "limits: {body: 1KiB}\nlisteners: [{address: '127.0.0.1:1', cluster: a}]\n",
            "conf.d/x.yaml":
                "clusters: {x: {endpoints: 'h:2'}}\nlisteners: [{address: '127.0.0.1:2', cluster: x}]\n",
            "conf.d/y.yaml": "include: more/z.yaml\n",
            "conf.d/more/z.yaml": "clusters: {z: {endpoints: 'h:3'}}\n",
        ]).get()
        #expect(file.configuration.clusters.map(\.name) == ["a", "x", "z"])
        #expect(file.configuration.listeners.map(\.address) == ["127.0.0.1:2", "127.0.0.1:1"])
        #expect(file.configuration.limitFields == 3 && file.configuration.limitBodyBytes == 1024)
        #expect(
            file.files == ["f.yaml", "conf.d/x.yaml", "conf.d/y.yaml", "conf.d/more/z.yaml", "common.yaml"])
        #expect(file.origin(of: "clusters.z")?.description == "conf.d/more/z.yaml:1:15")
        #expect(file.problems(with: file.configuration) == [])
    }

    @Test("What goes wrong with included files is told with its place, and all of it")
    func badIncludes() {
        func check(_ files: [String: String], _ expected: String...) {
            #expect(Self.problems(files) == expected)
        }
        check(
            ["f.yaml": "include: missing.yaml\n"],
            "f.yaml:1:10: include: 'missing.yaml' does not exist; check the path")
        check(
            ["f.yaml": "include:\n"],
            "f.yaml:1:9: include: nothing stands here; write a path, or a list of paths")
        check(
            ["f.yaml": "include: {a: b}\n"],
            "f.yaml:1:10: include: a mapping stands here; write a path, or a list of paths")
        check(["f.yaml": "include: none/*.yaml\nlimits: {}\n"])
        check(
            ["f.yaml": "include: a.yaml\n", "a.yaml": "include: f.yaml\n"],
            "a.yaml:1:10: include: 'f.yaml' includes itself, by way of others or not; take it out of one of them"
        )
        check(
            ["f.yaml": "limits: {body: 1}\ninclude: a.yaml\n", "a.yaml": "limits: {body: 2}\n"],
            "a.yaml:1:10: limits.body: it is given already at f.yaml:1:10; keep one of them")
        check(
            ["f.yaml": "include: a.yaml\nlimits: {}\n", "a.yaml": "limits: 3\n"],
            "a.yaml:1:1: limits: it is given already at f.yaml:2:1; keep one of them")
        check(
            ["f.yaml": "include: [a.yaml, b.yaml]\nlimts: {}\n", "a.yaml": "x: [\n", "b.yaml": ""],
            "a.yaml:2:1: this is no YAML: while parsing a flow node (line 2), did not find expected node content; see the line before as well: indentation, a colon or a quote is often what is missing",
            "b.yaml:1:1: the file is empty; write at least one key, or leave the file out",
            "f.yaml:2:1: limts: there is no such key; did you mean 'limits'?")
        check(
            [
                "f.yaml": "include: [a.yaml, ./a.yaml]\n", "a.yaml": "limits: {}\n",
                "./a.yaml": "limits: {}\n",
            ],
            "f.yaml:1:19: include: './a.yaml' is included already; include each file once")
        check(
            ["f.yaml": "include: '${MISSING}.yaml'\n"],
            "f.yaml:1:10: include: the environment variable MISSING is not set; set it, or write ${MISSING:-default}"
        )
    }

    @Test("A file that is not there, or is no text, is told by its name")
    func unreadable() {
        #expect(Self.problems([:]) == ["f.yaml:1:1: the file does not exist; check the path"])
        let texts = ConfigurationText(read: { _ in .success([0x61, 0xFF]) }, match: { _ in [] })
        #expect {
            try ConfigurationFile(reading: "f.yaml", from: texts) { _ in nil }
        } throws: { error in
            (error as? FileProblems)?.all.map(\.description)
                == ["f.yaml:1:1: 'f.yaml' is no text in UTF-8; save it in UTF-8"]
        }
    }

    @Test("Aliases repeat values, and not without end")
    func aliases() throws {
        let file = try Self.read(["f.yaml": "limits: {head: &n 4KiB, uri: *n}\n"]).get()
        #expect(file.configuration.limitHeadBytes == 4096 && file.configuration.limitURIBytes == 4096)
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let items = [String](repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            bomb += "a\(level): &a\(level) [\(items)]\n"
        }
        let problems = Self.problems(["f.yaml": bomb])
        #expect(problems.count == 1 && problems[0].contains("more than 1000000 values"))
    }

    @Test("Names that are near enough are taken for slips, others are not")
    func nearestNames() {
        let names = ["head", "body_idle", "connect", "tunnel_idle"]
        #expect(NearestName.of("haed", among: names) == "head")
        #expect(NearestName.of("Body-Idle", among: names) == "body_idle")
        #expect(NearestName.of("conect", among: names) == "connect")
        #expect(NearestName.of("xyz", among: names) == nil)
        #expect(NearestName.distance(Array("ca".utf8), Array("abc".utf8)) == 3)
        #expect(NearestName.distance(Array("haed".utf8), Array("head".utf8)) == 1)
    }

    @Test("The schema for editors names every key")
    func schema() {
        let text = JSONSchema.text
        for (_, keys) in ConfigurationSchema.sections {
            for key in keys { #expect(text.contains("\"\(key.name)\": {")) }
        }
    }
}
