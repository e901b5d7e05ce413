import Testing

@testable import UringProxy

@Suite("Configuration")
struct ConfigurationTests {
    @Test("The defaults are valid, and a forward proxy on loopback")
    func defaults() {
        let configuration = Configuration()
        #expect(configuration.validate() == [])
        #expect(configuration.forwardListeners == ["127.0.0.1:8080"])
        #expect(configuration.xForwardedOfForward == .off && configuration.xForwardedOfReverse == .append)
        #expect(
            configuration.limitRateMin.description == "240:10s"
                && configuration.timeoutTunnelIdle == .hours(1))
    }

    @Test("The forward proxy's default listener gives way to any other")
    func forwardDefault() {
        var configuration = Configuration()
        configuration.listenAddresses = ["127.0.0.1:8081"]
        configuration.upstreams = ["127.0.0.1:9000"]
        #expect(configuration.validate() == [])
        #expect(configuration.forwardListeners == [])
        configuration.forwardAddresses = ["127.0.0.1:3128", "unix:/tmp/p"]
        #expect(configuration.validate() == [])
        #expect(configuration.forwardListeners == ["127.0.0.1:3128", "unix:/tmp/p"])
    }

    @Test("Two pseudonyms differ and are valid")
    func pseudonyms() {
        let (a, b) = (Configuration().via ?? "", Configuration().via ?? "")
        #expect(a != b && a.utf8.count == 15 && a.hasPrefix("uproxy-"))
    }

    @Test("Each problem names its option and a remedy")
    func problems() {
        let table: [(String, (inout Configuration) -> Void)] = [
            ("--listen", { $0.listenAddresses = ["127.0.0.1:1"] }),
            (
                "--listen",
                {
                    $0.listenAddresses = ["localhost:1"]
                    $0.upstreams = ["a:1"]
                }
            ),
            ("--upstream", { $0.upstreams = ["a:1"] }),
            (
                "--upstream",
                {
                    $0.listenAddresses = ["127.0.0.1:1"]
                    $0.upstreams = ["a:0"]
                }
            ),
            (
                "--upstream",
                {
                    $0.listenAddresses = ["127.0.0.1:1"]
                    $0.upstreams = ["http://a"]
                }
            ),
            (
                "--upstream",
                {
                    $0.listenAddresses = ["127.0.0.1:1"]
                    $0.upstreams = ["a:1,weight=0"]
                }
            ),
            (
                "--upstream",
                {
                    $0.listenAddresses = ["127.0.0.1:1"]
                    $0.upstreams = (0..<4097).map { "a\($0):1" }
                }
            ),
            ("--balance", { $0.balance = .random }),
            (
                "--balance",
                {
                    $0.listenAddresses = ["127.0.0.1:1"]
                    $0.upstreams = ["a:1"]
                    $0.balance = .maglev
                }
            ),
            ("--hash-key", { $0.hashKey = .uri }),
            ("--forward", { $0.forwardAddresses = ["127.0.0.1:1", "127.0.0.1:1"] }),
            ("--admin", { $0.adminAddress = "127.0.0.1:8080" }),
            ("--admin", { $0.adminAddress = "0.0.0.0:8080" }),
            ("--admin", { $0.adminAddress = "8080" }),
            ("--threads", { $0.threads = 0 }), ("--threads", { $0.threads = 1025 }),
            ("--busy-poll", { $0.busyPoll = .milliseconds(2) }),
            ("--busy-poll", { $0.busyPoll = Nanoseconds(-1) }),
            ("--memory", { $0.memoryBytes = 1 << 20 }), ("--memory", { $0.memoryBytes = 1 << 50 }),
            ("--timeout-head", { $0.timeoutHead = Nanoseconds(-1) }),
            ("--timeout-connect", { $0.timeoutConnect = Nanoseconds(1000) }),
            ("--pool-idle-timeout", { $0.poolIdleTimeout = Nanoseconds(.max) }),
            ("--limit-head", { $0.limitHeadBytes = 0 }),
            ("--limit-head", { $0.limitHeadBytes = 256 << 10 | 1 }),
            (
                "--limit-head",
                {
                    $0.limitHeadBytes = 512
                    $0.limitURIBytes = 0
                }
            ),
            ("--limit-uri", { $0.limitURIBytes = 64 << 10 }), ("--limit-fields", { $0.limitFields = -1 }),
            ("--limit-fields", { $0.limitFields = 5000 }), ("--limit-body", { $0.limitBodyBytes = -1 }),
            ("--limit-rate-min", { $0.limitRateMin = MinimumRate(bytesPerSecond: -1, grace: .zero) }),
            ("--limit-connections", { $0.limitConnections = -1 }),
            (
                "--limit-connections-per-client",
                {
                    $0.limitConnections = 5
                    $0.limitConnectionsPerClient = 6
                }
            ),
            ("--limit-requests-per-connection", { $0.limitRequestsPerConnection = -5 }),
            ("--limit-mirrored", { $0.limitMirrored = 1025 }),
            ("--pool-idle", { $0.poolIdle = -1 }), ("--pool-idle", { $0.poolIdle = 1 << 20 }),
            ("--allow-destinations", { $0.allowDestinations = [""] }),
            ("--deny-destinations", { $0.denyDestinations = ["a b"] }),
            ("--deny-destinations", { $0.denyDestinations = ["http://a"] }),
            ("--dns-server", { $0.dnsServers = ["dns.example"] }),
            ("--dns-server", { $0.dnsServers = ["1.1.1.1:0"] }),
            ("--proxy-protocol-from", { $0.trust.proxyProtocolFrom = ["10.0.0.0/8"] }),
            (
                "--proxy-protocol-from",
                {
                    $0.trust.proxyProtocol = .require
                    $0.trust.proxyProtocolFrom = ["10.0.0.1/8"]
                }
            ),
            ("--trusted-proxies", { $0.trust.trustedProxies = ["10.0.0.0/8,example.org"] }),
            ("--trusted-proxies", { $0.trust.trustedProxies = [""] }),
            ("--upstream-proxy-protocol", { $0.upstreamProxyProtocol = .v2 }),
            ("--upstream-proxy-tlvs", { $0.upstreamProxyTLVs = [.authority] }),
            ("--via", { $0.via = "" }), ("--via", { $0.via = "a b" }), ("--via", { $0.via = "a\r\nX: y" }),
        ]
        for (option, change) in table {
            var configuration = Configuration()
            change(&configuration)
            let problems = configuration.validate()
            #expect(problems.map(\.option) == [option], "\(problems)")
            for problem in problems { #expect(!problem.message.isEmpty && !problem.remedy.isEmpty) }
        }
    }

    @Test("Zero switches off what may be off")
    func zeros() {
        var configuration = Configuration()
        configuration.timeoutHead = .zero
        configuration.timeoutConnect = .zero
        configuration.timeoutDrain = .zero
        configuration.limitFields = 0
        configuration.limitURIBytes = 0
        configuration.limitRateMin = .off
        configuration.limitConnections = 0
        configuration.poolIdle = 0
        configuration.poolIdleTimeout = .zero
        #expect(configuration.validate() == [])
    }

    @Test("Trusted proxies of every form are accepted")
    func trust() {
        var configuration = Configuration()
        configuration.trust.proxyProtocol = .require
        configuration.trust.proxyProtocolFrom = ["10.0.0.0/8, 192.0.2.7", "2001:db8::/32", "unix:"]
        configuration.trust.trustedProxies = ["::1,unix:"]
        #expect(configuration.validate() == [])
    }

    @Test("All problems are told at once")
    func allAtOnce() {
        var configuration = Configuration()
        configuration.upstreams = ["http://a"]
        configuration.threads = 0
        configuration.limitHeadBytes = 1 << 20
        configuration.via = "("
        #expect(
            configuration.validate().map(\.option)
                == ["--upstream", "--upstream", "--threads", "--limit-head", "--via"])
    }

    @Test("Name servers and destinations of every form are accepted")
    func destinations() {
        var configuration = Configuration()
        configuration.dnsServers = ["192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]:5353"]
        configuration.allowDestinations = [
            "127.0.0.0/8", "example.com", "*.example.com", "443", "::1/128", "a.b:8080",
        ]
        #expect(configuration.validate() == [])
    }
}
