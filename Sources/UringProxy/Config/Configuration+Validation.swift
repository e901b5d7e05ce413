/// Something in a configuration that cannot work, and what to do about it.
public struct ConfigurationProblem: Sendable, Equatable, CustomStringConvertible {
    /// As on the command line: `--limit-head`.
    public let option: String
    public let message: String
    public let remedy: String

    public var description: String { "\(option): \(message); \(remedy)" }
}

extension Configuration {
    static let threadRange = 1...1024
    static let headRangeBytes = (1 << 10)...(256 << 10)
    static let fieldLimit = 4096
    static let smallestMemoryBytes: UInt64 = 16 << 20
    static let largestMemoryBytes: UInt64 = 1 << 44
    /// Far beyond what a sleep and a wake-up cost anywhere.
    static let longestBusyPoll = Nanoseconds.milliseconds(1)

    /// All that is wrong with this configuration, in the order of the options; empty if it can run.
    public func validate() -> [ConfigurationProblem] {
        var problems = ProblemList()
        checkListeners(&problems)
        checkUpstreams(&problems)
        checkEngine(&problems)
        checkBusyPoll(&problems)
        checkTimeouts(&problems)
        checkLimits(&problems)
        checkPools(&problems)
        checkDestinations(&problems)
        checkVia(&problems)
        return problems.all
    }

    private func checkListeners(_ problems: inout ProblemList) {
        var seen: [(option: String, text: String, address: AddressText)] = []
        let groups = [
            ("--listen", listenAddresses), ("--forward", forwardListeners),
            ("--admin", adminAddress.map { [$0] } ?? []),
        ]
        for (option, addresses) in groups {
            for text in addresses {
                let address: AddressText
                do {
                    address = try AddressText(parsing: text)
                    try address.checkListenable(text)
                } catch {
                    problems.add(option, error)
                    continue
                }
                if let other = seen.first(where: { $0.address.conflicts(with: address) }) {
                    problems.add(
                        option, "\(quoted(text)) is taken by \(other.option) \(quoted(other.text))",
                        "give each listener a port of its own")
                }
                seen.append((option, text, address))
            }
        }
        if !listenAddresses.isEmpty && upstreams.isEmpty {
            problems.add(
                "--listen", "a reverse proxy has nowhere to send requests to",
                "name an endpoint with --upstream HOST:PORT, or listen with --forward for a forward proxy")
        }
    }

    private func checkUpstreams(_ problems: inout ProblemList) {
        if !upstreams.isEmpty && listenAddresses.isEmpty {
            problems.add(
                "--upstream", "there is no listener whose requests could go to it",
                "add --listen ADDRESS:PORT, for example --listen 127.0.0.1:8081")
        }
        for text in upstreams {
            do {
                if case .host(_, port: 0) = try AddressText(parsing: text) {
                    problems.add(
                        "--upstream", "\(quoted(text)) has port 0", "give the port the endpoint listens on")
                }
            } catch {
                problems.add("--upstream", error)
            }
        }
    }

    private func checkEngine(_ problems: inout ProblemList) {
        if let threads, !Self.threadRange.contains(threads) {
            problems.add(
                "--threads", "\(threads) is outside 1 to \(Self.threadRange.upperBound)",
                "leave it out to use one thread for each CPU available")
        }
        #if !Uring
            if io == .uring {
                problems.add(
                    "--io", "this build holds the epoll driver alone",
                    "use --io epoll or auto, or build without --disable-default-traits")
            }
        #endif
        if let memoryBytes, memoryBytes != 0,
            !(Self.smallestMemoryBytes...Self.largestMemoryBytes).contains(memoryBytes)
        {
            let least = ByteSize.describe(Self.smallestMemoryBytes)
            problems.add(
                "--memory", "\(ByteSize.describe(memoryBytes)) is outside \(least) to 16TiB",
                "give at least \(least), or leave it out for a share of the machine's memory")
        }
    }

    private func checkBusyPoll(_ problems: inout ProblemList) {
        guard busyPoll < .zero || busyPoll > Self.longestBusyPoll else { return }
        problems.add(
            "--busy-poll", "\(busyPoll) is outside 0 to \(Self.longestBusyPoll)",
            "give what a sleep and a wake-up take, such as 50us; 0 switches it off")
    }

    private func checkTimeouts(_ problems: inout ProblemList) {
        let timeouts: [(String, Nanoseconds)] = [
            ("--timeout-head", timeoutHead), ("--timeout-body-idle", timeoutBodyIdle),
            ("--timeout-send-idle", timeoutSendIdle), ("--timeout-keepalive", timeoutKeepalive),
            ("--timeout-connect", timeoutConnect), ("--timeout-upstream", timeoutUpstream),
            ("--timeout-total", timeoutTotal), ("--timeout-tunnel-idle", timeoutTunnelIdle),
            ("--timeout-drain", timeoutDrain), ("--pool-idle-timeout", poolIdleTimeout),
            ("--limit-rate-min", limitRateMin.grace),
        ]
        for (option, value) in timeouts {
            if value < .zero || value > .longest {
                problems.add(option, "\(value) is negative or longer than ten years", "0 switches it off")
            } else if value.isOn && value < .milliseconds(1) {
                problems.add(
                    option, "\(value) is less than a millisecond, the step of the timer wheel",
                    "give 1ms or more, or 0 to switch it off")
            }
        }
    }

    private func checkLimits(_ problems: inout ProblemList) {
        let range = Self.headRangeBytes
        if limitHeadBytes == 0 {
            problems.add(
                "--limit-head", "a head without a limit would let one peer take all memory",
                "give 1KiB to 256KiB")
        } else if !range.contains(limitHeadBytes) {
            problems.add(
                "--limit-head", "\(describe(limitHeadBytes)) is outside 1KiB to 256KiB",
                limitHeadBytes > range.upperBound
                    ? "send large values in the body" : "heads of browsers need 8KiB or more")
        }
        if limitURIBytes < 0 || limitURIBytes > limitHeadBytes && limitHeadBytes > 0 {
            problems.add(
                "--limit-uri",
                "\(describe(limitURIBytes)) does not fit --limit-head (\(describe(limitHeadBytes)))",
                "lower it, raise --limit-head, or give 0 to let the head's limit bound it")
        }
        let counts: [(option: String, value: Int64, most: Int64)] = [
            ("--limit-fields", Int64(limitFields), Int64(Self.fieldLimit)),
            ("--limit-body", limitBodyBytes, .max),
            ("--limit-rate-min", limitRateMin.bytesPerSecond, 1 << 40),
            ("--limit-connections", Int64(limitConnections ?? 0), 1 << 30),
            ("--limit-connections-per-client", Int64(limitConnectionsPerClient), 1 << 30),
            ("--limit-requests-per-connection", Int64(limitRequestsPerConnection), .max),
        ]
        for (option, value, most) in counts where value < 0 || value > most {
            problems.add(option, "\(value) is outside 0 to \(most)", "0 switches it off")
        }
        if let limitConnections, limitConnections > 0, limitConnectionsPerClient > limitConnections {
            problems.add(
                "--limit-connections-per-client",
                "\(limitConnectionsPerClient) is more than --limit-connections (\(limitConnections)) lets in at all",
                "lower it, or raise --limit-connections")
        }
    }

    private func checkPools(_ problems: inout ProblemList) {
        if !(0...65536).contains(poolIdle) {
            problems.add("--pool-idle", "\(poolIdle) is outside 0 to 65536", "0 keeps no idle connection")
        }
    }

    private func checkDestinations(_ problems: inout ProblemList) {
        for (option, texts) in [
            ("--allow-destinations", allowDestinations), ("--deny-destinations", denyDestinations),
        ] {
            for text in texts {
                if text.isEmpty || text.utf8.contains(where: { $0 <= 32 || $0 == 127 }) {
                    problems.add(
                        option, "\(quoted(text)) is empty or holds a space",
                        "give a CIDR, a name, a pattern as *.example.com or a port, and repeat the option for more"
                    )
                } else if text.contains("://") {
                    problems.add(option, "\(quoted(text)) is a URL", "give its host, or HOST:PORT")
                }
            }
        }
        for text in dnsServers where !isResolver(text) {
            problems.add(
                "--dns-server", "\(quoted(text)) is no address of a name server",
                "write it as 192.0.2.53, 192.0.2.53:5353, 2001:db8::53 or [2001:db8::53]:5353")
        }
    }

    private func isResolver(_ text: String) -> Bool {
        if AddressText.isIPv4(text[...]) || AddressText.isIPv6(text[...]) { return true }
        guard case .host(let host, let port)? = try? AddressText(parsing: text), port != 0 else {
            return false
        }
        return host.hasPrefix("[") || AddressText.isIPv4(host[...])
    }

    private func checkVia(_ problems: inout ProblemList) {
        guard let via else { return }
        // RFC 9110 §7.6.3: a pseudonym is a token; a host with its port may stand there as well.
        let symbols = Set("!#$%&'*+-.^_`|~:[]".utf8)
        let fits = via.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || symbols.contains(byte)
        }
        if via.isEmpty || via.utf8.count > 64 || !fits {
            problems.add(
                "--via", "\(quoted(via)) cannot stand in a Via field",
                "use up to 64 letters, digits and hyphens, or off")
        }
    }

    private func describe(_ bytes: Int) -> String {
        bytes < 0 ? "\(bytes)" : ByteSize.describe(UInt64(bytes))
    }
}

private struct ProblemList {
    private(set) var all: [ConfigurationProblem] = []

    mutating func add(_ option: String, _ message: String, _ remedy: String) {
        all.append(ConfigurationProblem(option: option, message: message, remedy: remedy))
    }

    /// What the syntax checks say is "problem: remedy" already.
    mutating func add(_ option: String, _ error: OptionSyntaxError) {
        let parts = error.message.split(separator: ": ", maxSplits: 1)
        add(option, String(parts[0]), parts.count == 2 ? String(parts[1]) : "see --help")
    }
}
