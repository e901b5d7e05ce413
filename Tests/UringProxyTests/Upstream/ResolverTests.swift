import CPosix
import Synchronization
import TestSupport
import Testing

@testable import UringProxy

/// Serialised: they measure time, and two cores are soon busy.
@Suite("Resolver", .serialized)
struct ResolverTests {
    /// A resolver that asks a stub, and one inbox.
    private final class Setup {
        let server: NameServerStub
        let resolver: Resolver
        let inbox: ResolverInbox
        let index: Int
        let wakes = WakeCount()

        init(_ zones: [String: NameServerStub.Zone], change: (inout ResolverOptions) -> Void = { _ in })
            throws
        {
            server = try NameServerStub(zones)
            var options = ResolverOptions()
            options.servers = [server.address]
            options.attemptMilliseconds = 200
            options.attempts = 2
            options.timeoutMilliseconds = 1_000
            options.usesSearchList = false
            change(&options)
            resolver = try Resolver(options)
            let wakes = wakes
            inbox = ResolverInbox(minimumCapacity: 256) { wakes.count.wrappingAdd(1, ordering: .relaxed) }
            index = resolver.register(inbox)
            server.start()
            try resolver.start()
        }
        deinit {
            resolver.stop()
            server.stop()
        }

        func ask(_ name: String, token: UInt64 = 1) -> Bool {
            var name = name
            return name.withUTF8 { bytes in
                let view = unsafe ByteView(UnsafeRawBufferPointer(bytes))
                guard let query = ResolverQuery(name: view, inbox: index, token: token) else { return false }
                return resolver.resolve(query)
            }
        }

        /// The next answer, and how many milliseconds it took; nil after three seconds.
        func next() -> (answer: ResolverAnswer, milliseconds: Int64)? {
            let start = cposix_monotonic_nanoseconds()
            while true {
                let elapsed = (cposix_monotonic_nanoseconds() - start) / 1_000_000
                if let answer = inbox.queue.pop() { return (answer, elapsed) }
                if elapsed > 3_000 { return nil }
                _ = usleep(200)
            }
        }

        func resolve(_ name: String) throws -> ResolverAnswer {
            try #require(ask(name))
            return try #require(next()).answer
        }

        /// The whole of an answer.
        func survey(_ name: String, _ kind: ResolverSurvey.Kind = .addresses) throws -> ResolverSurvey.Answer
        {
            let answer = Locked<ResolverSurvey.Answer?>(nil)
            resolver.survey(ResolverSurvey(name, kind) { new in answer.withLock { $0 = new } })
            for _ in 0..<15_000 {
                if let answer = answer.withLock({ $0 }) { return answer }
                _ = usleep(200)
            }
            return try #require(answer.withLock { $0 })
        }
    }
    private final class WakeCount: Sendable {
        let count = Atomic<Int>(0)
    }
    private func texts(_ answer: ResolverAnswer) -> [String] {
        (0..<Int(answer.count)).map { answer.addresses[$0].description }
    }

    @Test("Both families are asked for and take turns, IPv6 first, each in the server's order")
    func interleaving() throws {
        let zone = NameServerStub.Zone(
            ipv4: ["192.0.2.1", "192.0.2.9", "192.0.2.3"], ipv6: ["2001:db8::9", "2001:db8::1"],
            ttlSeconds: 300)
        let setup = try Setup(["both.test": zone, "many.test": .init(ipv4: (1...20).map { "192.0.2.\($0)" })])
        let answer = try setup.resolve("BOTH.test")
        #expect(answer.status == .ok && answer.token == 1)
        #expect(texts(answer) == ["2001:db8::9", "192.0.2.1", "2001:db8::1", "192.0.2.9", "192.0.2.3"])
        #expect(answer.ttlSeconds == 300)
        for _ in 0..<1_000 where setup.wakes.count.load(ordering: .relaxed) == 0 { _ = usleep(1_000) }
        #expect(setup.wakes.count.load(ordering: .relaxed) == 1)
        #expect(try setup.resolve("many.test").count == 16)
        let other = try Setup(["both.test": zone]) { $0.prefersIPv6 = false }
        #expect(texts(try other.resolve("both.test")).prefix(2) == ["192.0.2.1", "2001:db8::9"])
    }

    @Test("A survey gets all addresses, of the servers and not of the cache")
    func survey() throws {
        let setup = try Setup([
            "many.test": .init(ipv4: (1...20).map { "192.0.2.\($0)" }, ipv6: ["2001:db8::1"], ttlSeconds: 300)
        ])
        #expect(try setup.resolve("many.test").count == 16)
        let answer = try setup.survey("many.test")
        #expect(answer.status == .ok && answer.ttlSeconds == 300 && !answer.isPartial)
        #expect(Set(answer.addresses).count == 21)
        #expect(setup.server.count("many.test", type: 1) == 2)
        #expect(try setup.survey("nowhere.test").status == .notFound)
        #expect(try setup.survey("a..b").status == .notFound)
        #expect(try setup.survey("192.0.2.7").addresses == [IPAddress("192.0.2.7")!])
    }

    @Test("A survey waits for both families, and says when one has not been answered for")
    func partialSurvey() throws {
        let setup = try Setup([
            "slow.test": .init(ipv4: ["192.0.2.1"], delayMilliseconds: 100),
            "half.test": .init(ipv4: ["192.0.2.1"], isSilentForIPv6: true),
            "silent.test": .init(isSilent: true),
        ]) { $0.resolutionDelayMilliseconds = 10 }
        #expect(try !setup.survey("slow.test").isPartial)
        let half = try setup.survey("half.test")
        #expect(half.status == .ok && half.isPartial && half.addresses == [IPAddress("192.0.2.1")!])
        #expect(try setup.survey("silent.test").status == .timedOut)
    }

    @Test("SRV records come with their numbers and the least time to live, or with the reason why not")
    func services() throws {
        let records = [
            ServiceRecord(priority: 1, weight: 65_535, port: 8080, target: "a.test"),
            ServiceRecord(priority: 0, weight: 0, port: 1, target: ""),
        ]
        let setup = try Setup([
            "_http._tcp.app.test": .init(services: records, ttlSeconds: 30),
            "empty.test": .init(ipv4: ["192.0.2.1"]), "broken.test": .init(responseCode: 2),
            "silent.test": .init(isSilent: true),
        ])
        let answer = try setup.survey("_HTTP._tcp.App.test.", .services)
        #expect(answer.status == .ok && answer.ttlSeconds == 30)
        #expect(Set(answer.services) == Set(records))
        #expect(try setup.survey("empty.test", .services).status == .notFound)
        #expect(try setup.survey("nowhere.test", .services).status == .notFound)
        if case .failed = try setup.survey("broken.test", .services).status {
        } else {
            Issue.record("no failure")
        }
        #expect(try setup.survey("silent.test", .services).status == .timedOut)
    }

    @Test("An answer is kept as long as its shortest record, aliases included, and no longer")
    func timeToLive() throws {
        let setup = try Setup([
            "short.test": .init(ipv4: ["192.0.2.1"], ttlSeconds: 1),
            "zero.test": .init(ipv4: ["192.0.2.1"], ttlSeconds: 0),
            "long.test": .init(ipv4: ["192.0.2.1"], ttlSeconds: 1_000_000),
            "alias.test": .init(ipv4: ["192.0.2.1"], ttlSeconds: 500, aliasTTLSeconds: 7),
        ])
        #expect(try setup.resolve("zero.test").ttlSeconds == 1)
        #expect(try setup.resolve("long.test").ttlSeconds == 3_600)
        let alias = try setup.resolve("alias.test")
        #expect(alias.ttlSeconds == 7 && texts(alias) == ["192.0.2.1"])
        let first = try setup.resolve("short.test")
        setup.server.set("short.test", .init(ipv4: ["192.0.2.2"], ttlSeconds: 60))
        // With the final dot or without, in whatever case: one name.
        let cached = try setup.resolve("Short.Test.")
        #expect(texts(first) == texts(cached))
        #expect(setup.server.count("short.test", type: 1) == 1)
        #expect(setup.resolver.counters.cacheHits.load(ordering: .relaxed) == 1)
        _ = usleep(1_100_000)
        #expect(texts(try setup.resolve("short.test")) == ["192.0.2.2"])
        #expect(setup.server.count("short.test", type: 1) == 2)
    }

    @Test("That a name does not exist is remembered for a while")
    func negative() throws {
        let setup = try Setup(["empty.test": .init()]) { $0.negativeTTLSeconds = 1 }
        for name in ["none.test", "empty.test", "none.test", "empty.test"] {
            let answer = try setup.resolve(name)
            #expect(answer.status == .notFound && answer.count == 0)
        }
        #expect(setup.server.count("none.test", type: 1) == 1)
        #expect(setup.server.count("empty.test", type: 28) == 1)
        setup.server.set("none.test", .init(ipv6: ["2001:db8::1"]))
        _ = usleep(1_100_000)
        #expect(texts(try setup.resolve("none.test")) == ["2001:db8::1"])
        #expect(setup.resolver.counters.notFound.load(ordering: .relaxed) == 4)
    }

    @Test("A hundred askers of one name cause one query of each family")
    func singleFlight() throws {
        let setup = try Setup(["slow.test": .init(ipv4: ["192.0.2.1"], delayMilliseconds: 100)])
        for token in 0..<100 { try #require(setup.ask("slow.test", token: UInt64(token))) }
        var tokens: Set<UInt64> = []
        for _ in 0..<100 {
            let answer = try #require(setup.next()).answer
            if answer.status == .ok && texts(answer) == ["192.0.2.1"] { tokens.insert(answer.token) }
        }
        #expect(tokens.count == 100)
        #expect(setup.server.count("slow.test", type: 1) == 1)
        #expect(setup.server.count("slow.test", type: 28) == 1)
        #expect(setup.resolver.counters.joined.load(ordering: .relaxed) == 99)
    }

    @Test("A silent server delays the names it is asked for, and no other")
    func silence() throws {
        let setup = try Setup(["hung.test": .init(isSilent: true), "fine.test": .init(ipv4: ["192.0.2.1"])]) {
            $0.attemptMilliseconds = 2_000
            $0.timeoutMilliseconds = 400
        }
        for token in 0..<10 { try #require(setup.ask("hung.test", token: UInt64(token))) }
        try #require(setup.ask("fine.test", token: 99))
        let fine = try #require(setup.next())
        #expect(fine.answer.token == 99 && fine.answer.status == .ok && fine.milliseconds < 200)
        for token in 0..<10 {
            let hung = try #require(setup.next()).answer
            #expect(hung.status == .timedOut && hung.token == UInt64(token))
        }
        #expect(setup.resolver.counters.timeouts.load(ordering: .relaxed) == 10)
    }

    @Test("The library's own timeout ends a query too, and is remembered for a second")
    func attemptsExhausted() throws {
        let setup = try Setup(["hung.test": .init(isSilent: true)]) { $0.attemptMilliseconds = 50 }
        #expect(try setup.resolve("hung.test").status == .timedOut)
        let queries = setup.server.count("hung.test", type: 1)
        #expect(queries == 2)
        #expect(try setup.resolve("hung.test").status == .timedOut)
        #expect(setup.server.count("hung.test", type: 1) == queries)
    }

    @Test("A dead first server costs one attempt")
    func deadServer() throws {
        let dead = try NameServerStub([:])  // Bound, never read.
        let setup = try Setup(["fine.test": .init(ipv4: ["192.0.2.1"])]) {
            $0.servers.insert(dead.address, at: 0)
        }
        try #require(setup.ask("fine.test"))
        let fine = try #require(setup.next())
        #expect(fine.answer.status == .ok)
        #expect(fine.milliseconds >= 150 && fine.milliseconds < 900)
    }

    @Test("A server that drops AAAA queries costs the resolution delay, once")
    func silentForIPv6() throws {
        let setup = try Setup(["v4.test": .init(ipv4: ["192.0.2.1"], isSilentForIPv6: true)])
        try #require(setup.ask("v4.test"))
        let first = try #require(setup.next())
        #expect(first.answer.status == .ok && first.milliseconds >= 40 && first.milliseconds < 190)
        // While the other family is still under way: at once.
        try #require(setup.ask("v4.test"))
        #expect(try #require(setup.next()).milliseconds < 40)
        #expect(setup.resolver.counters.partialAnswers.load(ordering: .relaxed) == 1)
        _ = usleep(800_000)
        let cached = try setup.resolve("v4.test")
        #expect(texts(cached) == ["192.0.2.1"] && cached.ttlSeconds <= 30)
        #expect(setup.server.count("v4.test", type: 1) == 1)
    }

    @Test("A server failure is a failure, not an absent name")
    func serverFailure() throws {
        let setup = try Setup(["fail.test": .init(responseCode: 2)])
        guard case .failed = try setup.resolve("fail.test").status else {
            Issue.record("not failed")
            return
        }
        #expect(setup.resolver.counters.failures.load(ordering: .relaxed) == 1)
    }

    @Test("Addresses and localhost need no server; text that is no name gets none")
    func withoutServer() throws {
        let setup = try Setup([:])
        let table: [(String, [String])] = [
            ("192.0.2.7", ["192.0.2.7"]), ("[2001:db8::7]", ["2001:db8::7"]), ("::ffff:1.2.3.4", ["1.2.3.4"]),
            ("localhost", ["::1", "127.0.0.1"]), ("a.LOCALHOST.", ["::1", "127.0.0.1"]), ("127.1", []),
            ("2130706433", []), ("0x7f.1", []), ("a b", []), ("-", []), ("a..b", []), ("x\u{0}.test", []),
        ]
        for (name, expected) in table {
            let answer = try setup.resolve(name)
            #expect(texts(answer) == expected, "\(name)")
            #expect(answer.status == (expected.isEmpty ? .notFound : .ok), "\(name)")
        }
        #expect(!setup.ask(""))
        #expect(!setup.ask(String(repeating: "a", count: 256)))
        // "-" alone is a name to nobody but the server.
        #expect(setup.resolver.counters.lookups.load(ordering: .relaxed) == 1)
    }

    @Test("Answers that find a full inbox wait until there is room")
    func fullInbox() throws {
        let setup = try Setup([:])
        let small = ResolverInbox(minimumCapacity: 2) {}
        let index = setup.resolver.register(small)
        for token in 0..<50 {
            var name = "192.0.2.1"
            let query = name.withUTF8 {
                ResolverQuery(
                    name: unsafe ByteView(UnsafeRawBufferPointer($0)), inbox: index, token: UInt64(token))
            }
            #expect(setup.resolver.resolve(try #require(query)))
        }
        _ = usleep(20_000)
        var tokens: [UInt64] = []
        for _ in 0..<5_000 where tokens.count < 50 {
            while let answer = small.queue.pop() { tokens.append(answer.token) }
            _ = usleep(500)
        }
        // In any order: one that comes just when there is room overtakes those that wait.
        #expect(tokens.sorted() == Array(0..<50))
    }

    @Test("Stopping answers what is under way")
    func stopping() throws {
        let setup = try Setup(["hung.test": .init(isSilent: true)])
        try #require(setup.ask("hung.test"))
        _ = usleep(50_000)
        setup.resolver.stop()
        #expect(try #require(setup.next()).answer.status == .stopped)
    }

    @Test("A full queue says so instead of blocking")
    func fullQueue() throws {
        var options = ResolverOptions()
        options.queueCapacity = 4
        let resolver = try Resolver(options)  // Not started: nobody takes anything.
        let query = unsafe "a.test".utf8CString.withUnsafeBytes { bytes in
            let view = unsafe ByteView(UnsafeRawBufferPointer(rebasing: bytes[0..<6]))
            return ResolverQuery(name: view, inbox: 0, token: 0)
        }
        let taken = try (0..<6).map { _ in resolver.resolve(try #require(query)) }
        #expect(taken == [true, true, true, true, false, false])
        #expect(resolver.counters.rejected.load(ordering: .relaxed) == 2)
    }

    @Test("Many names from many threads all come back")
    func load() async throws {
        var zones: [String: NameServerStub.Zone] = [:]
        for index in 0..<200 { zones["host\(index).test"] = .init(ipv4: ["10.0.0.\(index)"], ttlSeconds: 60) }
        let setup = try Setup(zones) { $0.cacheCapacity = 64 }
        let resolver = setup.resolver
        let wrong = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<3 {
                let inbox = ResolverInbox(minimumCapacity: 512) {}
                let index = resolver.register(inbox)
                group.addTask {
                    var wrong = 0
                    var awaited = 0
                    for token in 0..<400 {
                        var name = "host\(token % 200).test"
                        let query = name.withUTF8 {
                            ResolverQuery(
                                name: unsafe ByteView(UnsafeRawBufferPointer($0)), inbox: index,
                                token: UInt64(token))
                        }
                        if resolver.resolve(try #require(query)) { awaited += 1 } else { wrong += 1 }
                        if token % 20 == 19 { try await Task.sleep(for: .milliseconds(2)) }
                    }
                    for _ in 0..<2_000 where awaited > 0 {
                        while let answer = inbox.queue.pop() {
                            awaited -= 1
                            let expected = IPAddress("10.0.0.\(answer.token % 200)")
                            if answer.count != 1 || answer.addresses[0] != expected { wrong += 1 }
                        }
                        try await Task.sleep(for: .milliseconds(1))
                    }
                    return wrong + awaited
                }
            }
            var sum = 0
            for try await wrong in group { sum += wrong }
            return sum
        }
        #expect(wrong == 0)
    }

    /// A file for one test, gone with it.
    private final class ScratchFile {
        let path: String

        init(_ text: String) {
            path = "/tmp/uproxy-test-\(getpid())-\(cposix_monotonic_nanoseconds())"
            write(text)
        }
        deinit { _ = unsafe unlink(path) }

        func write(_ text: String) {
            let file = unsafe fopen(path, "w")
            _ = unsafe fputs(text, file)
            _ = unsafe fclose(file)
        }
    }

    @Test("The search list serves names with few dots alone, and a changed resolv.conf is taken up")
    func searchList() throws {
        let file = ScratchFile("search one.test two.test\noptions ndots:2\nnameserver 127.0.0.1\n")
        let zone = NameServerStub.Zone(ipv4: ["192.0.2.1"])
        let setup = try Setup([
            "host.two.test": zone, "a.b.two.test": .init(ipv4: ["192.0.2.2"]),
            "alone": .init(ipv4: ["192.0.2.3"]),
            "a.b.c.two.test": zone, "host.three.test": .init(ipv6: ["2001:db8::3"]),
        ]) {
            $0.usesSearchList = true
            $0.configurationPath = file.path
            $0.configurationCheckMilliseconds = 10
        }
        #expect(texts(try setup.resolve("host")) == ["192.0.2.1"])
        #expect(setup.server.count("host.one.test", type: 1) == 1)
        #expect(texts(try setup.resolve("a.b")) == ["192.0.2.2"])
        #expect(texts(try setup.resolve("alone")) == ["192.0.2.3"])
        // Enough dots, or a final one: as it stands.
        #expect(try setup.resolve("a.b.c").status == .notFound)
        #expect(try setup.resolve("host.").status == .notFound)
        #expect(setup.server.count("a.b.c.two.test", type: 1) == 0)
        try #require(setup.ask("slow.test.", token: 7))
        file.write("search three.test\nnameserver 127.0.0.1\n")
        _ = usleep(20_000)
        #expect(try #require(setup.next()).answer.token == 7)
        #expect(texts(try setup.resolve("host")) == ["2001:db8::3"])
        #expect(setup.resolver.counters.configurationFailures.load(ordering: .relaxed) == 0)
    }

    @Test("A changed resolv.conf loses no query that is under way")
    func reloadUnderWay() throws {
        let file = ScratchFile("nameserver 127.0.0.1\n")
        let slow = NameServerStub.Zone(ipv4: ["192.0.2.1"], delayMilliseconds: 100)
        var zones = ["fast.test": NameServerStub.Zone(ipv4: ["192.0.2.2"])]
        for round in 0..<5 { zones["slow\(round).test"] = slow }
        let setup = try Setup(zones) {
            $0.configurationPath = file.path
            $0.configurationCheckMilliseconds = 0
        }
        for round in 0..<5 {
            try #require(setup.ask("slow\(round).test", token: 1))
            _ = usleep(10_000)
            file.write("# \(round)\nnameserver 127.0.0.1\n")
            try #require(setup.ask("fast.test", token: 2))
            // In whichever order: a busy machine may be slower than the slow server.
            var answers: [UInt64: ResolverAnswer] = [:]
            for _ in 0..<2 {
                let answer = try #require(setup.next()).answer
                answers[answer.token] = answer
            }
            #expect(answers[2]?.status == .ok)
            #expect(texts(try #require(answers[1])) == ["192.0.2.1"])
        }
    }

    @Test("The hosts file comes before the servers, and is read again when it changed")
    func hostsFile() throws {
        let file = ScratchFile("192.0.2.1 a.test alone\n2001:db8::1 a.test\n")
        let setup = try Setup(["a.test": .init(ipv4: ["192.0.2.9"])]) {
            $0.hostsPath = file.path
            $0.configurationCheckMilliseconds = 0
        }
        #expect(texts(try setup.resolve("A.test.")) == ["2001:db8::1", "192.0.2.1"])
        #expect(texts(try setup.resolve("alone")) == ["192.0.2.1"])
        #expect(setup.server.count("a.test", type: 1) == 0)
        file.write("192.0.2.2 alone\n")
        #expect(texts(try setup.resolve("a.test")) == ["192.0.2.9"])
        #expect(texts(try setup.resolve("alone")) == ["192.0.2.2"])
    }

    @Test("A bad server address is refused at once")
    func badServer() {
        for text in ["127.0.0.1:x", "dns.example.org:53", "127.0.0.1"] {
            var options = ResolverOptions()
            options.servers = [text]
            #expect(throws: ResolverError.badServer(text)) { try Resolver(options) }
        }
    }
}
