#if DEBUG || TESTABLE
    internal import TestSupport
    @testable internal import UringProxy

    /// A downstream: sends its requests in one of many manners, and checks every byte that comes back.
    final class Client: Peer {
        let plans: [ExchangePlan]
        private let listener: ListenSocket
        private var reader = MessageReader()
        /// The request whose response is being read or comes next.
        private var current = 0
        private var bodyOffset = 0
        private var head: Head?
        private var framing = MessageReader.Framing.none
        private var sawContinue = false
        private var sawTrailer = false
        /// A response said that the connection ends.
        private(set) var wasToldClose = false
        /// It went away on purpose, or was reset.
        private(set) var left = false
        // Waiting.
        private var waitsForResponses = 0
        private var waitsForContinue = false
        private var continuesAt = 0
        private var waitEndsAt: Int64 = 0
        // Tunnel.
        private let tunnelSize: Int
        private var tunnelSent = 0
        /// What comes before that, to say where it leads; how much of it has come back.
        private var hello: [UInt8] = []
        private var helloReceived = 0
        /// It leads nowhere.
        private var isMisnamed = false
        private var tunnelReceived = 0
        private(set) var isTunnel = false
        /// There will be no tunnel, and it was told so.
        private var isRefused = false
        private let tunnel: TunnelPlan?
        private var isConnect: Bool { tunnel != nil }
        /// What belongs into the tunnel is sent before there is one.
        private var isHasty = false
        private let tunnelKey: UInt32
        /// An answer that ends the connection must end it, and one that does not must not (in strict runs).
        private(set) var endedEarly = false
        private let asksTunnelEnd: Bool
        /// Its PROXY protocol header is none.
        private var isMisintroduced = false
        /// Then it reads no more, and waits for what the proxy makes of that.
        private let readsAtMost: Int
        private var readSoFar = 0

        init(
            _ world: World, name: String, _ listener: ListenSocket, _ plans: [ExchangePlan],
            _ tunnel: TunnelPlan?
        ) {
            self.plans = plans
            self.listener = listener
            self.tunnel = tunnel
            // As much as bodies have: through a narrow pipe it takes long.
            let most = min(300_000, world.profile.pipeCapacity.upperBound * 100)
            tunnelSize = world.random.logarithmic(
                1...(world.random.chance(world.profile.longPercent) ? most : min(most, 8000)))
            tunnelKey = UInt32(world.random.below(1 << 30)) | 1 << 30
            asksTunnelEnd = world.profile.isStrict || world.random.chance(60)
            readsAtMost =
                !world.profile.isStrict && world.random.perMille(world.profile.abortPercent)
                ? world.random.logarithmic(1...20_000) : .max
            super.init(world, name: name)
            if world.random.chance(15) {
                choosePace()
            }
        }

        var role: Listener.Role { listener.role }
        var isOfListener: Bool { !listener.isShutDown }
        /// Something of what it sent has reached an origin, or a tunnel has been opened for it.
        var isServed: Bool {
            isTunnel && (listener.role != .tcp || tunnelReceived + helloReceived > 0)
                || plans.contains { $0.arrivals > 0 }
        }

        func start(after delay: Int64) {
            world.schedule(after: delay) { [self] in connect() }
        }

        private func connect() {
            let (own, other) = world.makePair(self, nil)
            let index = UInt32(world.random.below(4))
            let address =
                world.random.chance(50)
                ? IPAddress(ipv4: 0x0A63_0000 | index)
                : IPAddress(high: 0x2001_0DB8 << 32, low: UInt64(index + 1))
            other.remote = SocketAddress(address, port: 40_000)
            other.local = listener.address
            guard !world.isClosing, listener.offer(other) else {
                note("is refused")
                left = true
                giveUp()
                return
            }
            socket = own
            note("connects")
            introduce(
                AddressPair(
                    source: address, destination: .loopback4, sourcePort: 40_000,
                    destinationPort: listener.address.port))
            switch listener.role {
            case .tcp:
                isTunnel = true
                framing = .tunnel
                reader.begin(.tunnel)
                if listener.asksName { scriptHello() }
                scriptTunnelBody()
            case .forward where isConnect: scriptTunnel(isHasty: !world.random.chance(80))
            case .forward, .reverse: scriptRequests()
            }
            run()
        }

        // MARK: - Introduction

        /// The header before everything else, where the proxy wants one, and what origins are to be told of this client.
        private func introduce(_ socketAddresses: AddressPair) {
            var pair = socketAddresses
            if world.profile.requiresProxyHeader { pair = addHeader(pair) }
            let isBelieved = world.profile.trustsProxies && pair.source.isIPv4
            let source = pair.source.description
            for plan in plans {
                plan.hop = world.profile.trustsProxies ? "203.0.113.5" : nil
                plan.forwardedFor =
                    plan.isForward ? plan.hop : isBelieved ? "203.0.113.5, \(source)" : source
                plan.addresses = pair
                if isBelieved {
                    plan.addresses?.source = IPAddress(ipv4: 0xCB00_7105)
                    plan.addresses?.sourcePort = 0
                }
            }
            tunnel?.addresses = pair
            for plan in plans {
                let client = isBelieved ? IPAddress(ipv4: 0xCB00_7105) : pair.source
                world.routeRules?.judge(plan, from: client)
            }
        }

        /// Adds a header to the script, of any kind and in any pieces; whom the proxy is to take this client for.
        private func addHeader(_ own: AddressPair) -> AddressPair {
            let index = UInt32(world.introductions.below(4))
            let isIPv4 = world.introductions.chance(50)
            let named = AddressPair(
                source: isIPv4
                    ? IPAddress(ipv4: 0x0A63_0000 | index)
                    : IPAddress(high: 0x2001_0DB8 << 32, low: UInt64(index + 1)),
                destination: isIPv4
                    ? IPAddress(ipv4: 0xC633_6409) : IPAddress(high: 0x2001_0DB8 << 32, low: 9),
                sourcePort: UInt16(world.introductions.below(65_536)), destinationPort: 443)
            let bytes: [UInt8]
            var taken = own
            if !world.profile.isStrict && world.introductions.chance(15) {
                isMisintroduced = true
                bytes = wrongHeader(named)
            } else {
                switch world.introductions.below(6) {
                case 0: bytes = ProxyPreface.block(0x20, 0, [])
                case 1: bytes = Array("PROXY UNKNOWN\r\n".utf8)
                case 2, 3:
                    bytes = ProxyPreface.text(named)
                    taken = named
                default:
                    bytes = ProxyPreface.block(named, padding: world.introductions.pick([0, 1, 500]))
                    taken = named
                }
            }
            note("\(isMisintroduced ? "a wrong header" : "a header") of \(bytes.count) bytes")
            addInPieces(bytes)
            return taken
        }

        private func wrongHeader(_ named: AddressPair) -> [UInt8] {
            let block = ProxyPreface.block(named, padding: 0)
            switch world.introductions.below(5) {
            case 0: return Array("PROXY TCP4 192.0.2.1 192.0.2.2 65536 1\r\n".utf8)
            case 1: return Array("PROXY TCP4 192.0.2.1 192.0.2.2 1 1\n".utf8)
            // Cut before its last word, which nothing that follows can be.
            case 2: return Array(ProxyPreface.text(named).dropLast(world.introductions.within(6...20)))
            case 3: return Array(block[..<12]) + [0x22] + block[13...]
            default: return ProxyPreface.block(0x21, 0x11, Array(repeating: 1, count: 11))
            }
        }

        private func addInPieces(_ bytes: [UInt8]) {
            var offset = 0
            let longest = world.profile.isStrict ? 50_000 : 2_000_000
            while offset < bytes.count {
                let left = bytes.count - offset
                let size =
                    world.introductions.chance(50) ? left : world.introductions.logarithmic(1...left)
                add(.bytes(Array(bytes[offset..<offset + size])))
                offset += size
                if world.introductions.chance(30) {
                    add(.pause(Int64(world.introductions.logarithmic(1...longest)) * microsecond))
                }
            }
        }

        // MARK: - Script

        private func scriptRequests() {
            let pipelines = world.random.chance(40)
            var bytes: [UInt8] = []
            func flush() {
                if !bytes.isEmpty { add(.bytes(bytes)) }
                bytes = []
            }
            for (index, plan) in plans.enumerated() {
                add(
                    .mark { [self] in
                        plan.beganSending = true
                        plan.beganSendingAt = world.now
                        note(plan.description)
                    })
                writeHead(plan, into: &bytes)
                if plan.expectsContinue && world.random.chance(80) {
                    flush()
                    let limit = world.random.chance(70) ? 3600 * second : world.random.time(0...second)
                    add(.mark { [self] in waitForContinue(index, atMost: limit) })
                    add(.wait)
                }
                writeBody(plan, &bytes, flush)
                add(.bytes(bytes))
                bytes = []
                if world.random.perMille(world.profile.abortPercent * 3) { leave() }
                let answers = index + 1
                if !pipelines || plan.upgrades || world.random.chance(20) {
                    add(.mark { [self] in waitsForResponses = answers })
                    add(.wait)
                    if world.random.chance(30) {
                        add(.pause(Int64(world.random.logarithmic(1...400_000)) * microsecond))
                    }
                }
            }
            let ending = world.random.below(3)
            if ending == 0 && !(plans.last?.upgrades ?? false) { add(.endOutput) }
            let all = plans.count
            add(.mark { [self] in waitsForResponses = all })
            add(.wait)
            if ending == 1 {
                add(.pause(world.random.time(0...2 * second)))
                add(.close)
            }
        }

        private func leave() {
            add(.mark { [self] in left = true })
            switch world.random.below(3) {
            case 0: add(.close)
            case 1: add(.reset)
            default:
                add(.endOutput)
                add(.pause(world.random.time(0...second)))
                add(.close)
            }
        }

        private func writeHead(_ plan: ExchangePlan, into bytes: inout [UInt8]) {
            if plan.requestFault == .garbage {
                bytes.append(
                    world.random.pick([
                        "GET / HTTP/9.9\r\n\r\n", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "\0\u{1}\u{2}\u{3}",
                        "POST /r/\(plan.number) HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
                        "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n", "G",
                        "\r\n\r\n\r\n\r\n", "GET / HTTP/1.1\nHost: a\n\n",
                    ]))
                return
            }
            bytes.append("\(plan.method) \(plan.target)/r/\(plan.number) HTTP/1.\(plan.isHTTP10 ? 0 : 1)\r\n")
            bytes.append("Host: \(plan.host)\r\nX-Id: \(plan.number)\r\n")
            if !world.stickyNames.isEmpty && world.zones.chance(50) {
                bytes.append("Cookie: SRV=\(world.zones.pick(world.stickyNames))\r\n")
            }
            if let trace = plan.trace {
                bytes.append("Traceparent: \(trace)\r\nTracestate: \(plan.number)\r\n")
            }
            if let hop = plan.hop { bytes.append("X-Forwarded-For: \(hop)\r\n") }
            if let shown = plan.credentials { bytes.append("Proxy-Authorization: \(shown)\r\n") }
            switch plan.requestBody {
            case .none, .untilClose: break
            case .length: bytes.append("Content-Length: \(plan.requestSize)\r\n")
            case .chunked: bytes.append("Transfer-Encoding: chunked\r\n")
            }
            if plan.expectsContinue { bytes.append("Expect: 100-continue\r\n") }
            // What everybody may say is not what the proxy tells.
            if plan.rule != nil { bytes.append("\(plan.shown.lines)X-User: root\r\n") }
            if plan.asksClose { bytes.append("Connection: close\r\n") }
            if plan.keepsAlive10 && plan.isHTTP10 && !plan.asksClose {
                bytes.append("Connection: keep-alive\r\n")
            }
            if plan.upgrades { bytes.append("Connection: Upgrade\r\nUpgrade: echo\r\n") }
            if plan.requestFault == .hugeHead {
                bytes.append("X-Huge: \(String(repeating: "h", count: 70_000))\r\n")
            } else if world.random.chance(20) {
                bytes.append(
                    "X-Padding: \(String(repeating: "p", count: world.random.logarithmic(1...3000)))\r\n")
            }
            bytes.append("\r\n")
        }

        private func writeBody(_ plan: ExchangePlan, _ bytes: inout [UInt8], _ flush: () -> Void) {
            let size = plan.requestSize
            let isSlow = world.random.chance(20)
            var offset = 0
            while offset < size {
                var part =
                    world.random.chance(50) ? size - offset : world.random.logarithmic(1...size - offset)
                part = min(part, 32_768)
                if plan.requestBody == .chunked { bytes.append("\(String(part, radix: 16))\r\n") }
                appendPattern(plan.requestKey, offset..<offset + part, to: &bytes)
                if plan.requestBody == .chunked { bytes.append("\r\n") }
                offset += part
                if offset == size && plan.requestBody == .length && plan.requestFault == .none {
                    add(.mark { plan.sentWholeRequest = true })
                }
                if isSlow || bytes.count > 32_768 || world.random.chance(10) {
                    add(.bytes(bytes))
                    bytes = []
                    if isSlow { add(.pause(Int64(world.random.logarithmic(1...150_000)) * microsecond)) }
                    if world.random.perMille(world.profile.abortPercent * 2) { leave() }
                }
                if plan.requestFault == .badChunk {
                    bytes.append("zz\r\n")
                    return
                }
            }
            if plan.requestFault == .garbage { return }
            if plan.requestBody == .chunked {
                add(.bytes(bytes))
                bytes = []
            }
            add(.mark { plan.sentWholeRequest = true })
            if plan.requestBody == .chunked {
                bytes.append("0\r\n")
                if plan.requestTrailers { bytes.append("X-Check: \(plan.number)\r\n") }
                bytes.append("\r\n")
            }
        }

        private func waitForContinue(_ index: Int, atMost limit: Int64) {
            continuesAt = index
            sawContinue = false
            waitsForContinue = true
            waitEndsAt = world.now + limit
            if limit < 3600 * second { world.schedule(after: limit) { [self] in run() } }
        }

        override func mayGoOn() -> Bool {
            if isConnect { return isTunnel }
            if waitsForContinue {
                guard sawContinue || world.now >= waitEndsAt else { return false }
                waitsForContinue = false
                sawContinue = false
                return true
            }
            return current >= waitsForResponses
        }

        // MARK: - Reading

        override var wantsInput: Bool { readSoFar <= readsAtMost }

        override func received(_ bytes: UnsafeRawBufferPointer) {
            readSoFar += bytes.count
            defer { if !wantsInput && !isFinished { stall() } }
            unsafe reader.feed(bytes)
            while !isFinished, let event = reader.next() {
                switch event {
                case .head(let head): began(head)
                case .body(let range): body(range)
                case .trailer(let name, let value):
                    if name == "x-check" {
                        sawTrailer = true
                        if value != "\(plans[current].number)" {
                            world.violate(
                                "\(self.name): trailer of \(value) in the response to \(plans[current].number)"
                            )
                        }
                    }
                case .end: ended()
                case .invalid(let text): world.violate("\(name): what came is no response: \(text)")
                }
                if world.violation != nil { return }
            }
        }

        private func stall() {
            note("reads no more")
            dropScript()
            add(.pause(400 * second))
            add(
                .mark { [self] in
                    if isHeld { world.violate("\(name) does not read, and is held for minutes") }
                })
            add(.close)
            run()
        }

        private func began(_ head: Head) {
            guard head.startLine.count >= 2, head.startLine[0] == "HTTP/1.1",
                let status = Int(head.startLine[1])
            else {
                world.violate("\(name): status line \(head.startLine)")
                return
            }
            // Who is one too many is told so before anything is read.
            if isMisintroduced && (head.number != nil || status != 503) {
                world.violate("\(name): an answer to a wrong PROXY protocol header")
            }
            self.head = head
            bodyOffset = 0
            sawTrailer = false
            note("response \(status) of \(head.number.map { "\($0)" } ?? "the proxy")")
            if let tunnel {
                connectAnswered(tunnel, head, status)
                return
            }
            // Who is one too many is told so before it asks.
            let isTooMany = current == 0 && status == 503 && head.number == nil
            guard current < plans.count, plans[current].beganSending || isTooMany else {
                world.violate("\(name): a response to no request: \(head)")
                return
            }
            let plan = plans[current]
            if let number = head.number, number != plan.number {
                world.violate("\(name): the response of exchange \(number) as the answer to \(plan.number)")
                return
            }
            if status < 200 && status != 101 {
                if head.number == nil || plan.isHTTP10 {
                    world.violate("\(name): \(status) to \(plan.number)")
                }
                if status == 100 && continuesAt == current { sawContinue = true }
                framing = .none
                reader.begin(.none)
                run()
                return
            }
            plan.finalsSeen += 1
            if plan.finalsSeen > 1 { world.violate("\(name): two answers to \(plan.number)") }
            if head.lists("connection", "close") { wasToldClose = true }
            if head.number == nil {
                if status < 400 { world.violate("\(name): the proxy's own \(status)") }
                if world.routeRules?.expects(status, to: plan) ?? false {
                    plan.isRefused = true
                } else if plan.requestFault == .none {
                    requireLenience("the proxy answered \(plan.number) with \(status)")
                }
            } else {
                if status != plan.status {
                    world.violate("\(name): status of \(plan.number) became \(status)")
                }
                if plan.requestFault == .garbage { world.violate("\(name): garbage was forwarded") }
                // Endpoints that answer were there from the beginning.
                if let cookie = head["set-cookie"],
                    !world.stickyNames.contains(where: { cookie.hasPrefix("SRV=\($0);") })
                {
                    world.violate("\(name): response \(plan.number) sets \(cookie)")
                }
                if head["x-told"] != plan.told {
                    world.violate("\(name): response \(plan.number) is told \(head["x-told"] ?? "nothing")")
                }
            }
            if status == 101 {
                framing = .tunnel
                isTunnel = true
                reader.begin(.tunnel)
                plan.isAnswered = true
                current += 1
                dropScript()
                scriptTunnelBody()
                run()
                return
            }
            if waitsForContinue && continuesAt == current {
                // Refused before its body was sent: the body stays here, and the connection is of no more use.
                waitsForContinue = false
                dropScript()
                endedEarly = true
            }
            if plan.method == "HEAD" || status == 204 || status == 304 {
                framing = .none
            } else if head.isChunked {
                framing = .chunked
                if plan.isHTTP10 { world.violate("\(name): chunks for HTTP/1.0") }
            } else if let length = head.length {
                framing = .length(length)
            } else {
                framing = .untilClose
            }
            reader.begin(framing)
        }

        private func connectAnswered(_ tunnel: TunnelPlan, _ head: Head, _ status: Int) {
            if head.number != nil { world.violate("\(name): an origin's response to CONNECT") }
            let isOfParent = head["x-tunnel"] == "\(tunnel.number)"
            if status < 200 {
                if !isOfParent || status == 101 { world.violate("\(name): \(status) to CONNECT") }
                framing = .none
                reader.begin(.none)
                return
            }
            if head.lists("connection", "close") { wasToldClose = true }
            if status == 200 {
                if tunnel.isThroughParent && !tunnel.isOpen {
                    world.violate("\(name): tunnel \(tunnel.number) is open, which no parent has said")
                }
                isTunnel = true
                framing = .tunnel
                reader.begin(.tunnel)
                run()
                return
            }
            dropScript()
            framing = head.isChunked ? .chunked : .length(head.length ?? 0)
            reader.begin(framing)
            guard isOfParent else {
                requireLenience("CONNECT was answered \(status)")
                return
            }
            if tunnel.answer != .refuses(status) && tunnel.answer != .isCut(status) {
                world.violate("\(name): CONNECT \(tunnel.number) was refused with \(status)")
            }
            if status == 407 && head["proxy-authenticate"] == nil {
                world.violate("\(name): a 407 to CONNECT \(tunnel.number) that demands nothing")
            }
        }

        /// There was a request behind the first one.
        private var hasSentSecond: Bool { plans.count > 1 && plans[1].beganSending }

        private func requireLenience(_ text: String) {
            // Where a process ends, so does what is between two requests.
            if world.isHandedOver && (current > 0 || hasSentSecond) { return }
            if world.profile.isStrict && world.failure == nil && !world.isClosing {
                world.violate("\(name): \(text), though nothing went wrong")
            }
        }

        private func body(_ range: Range<Int>) {
            if isTunnel {
                let range = takeHello(range)
                if !reader.buffer.isPattern(range, tunnelKey, from: tunnelReceived) {
                    world.violate(
                        "\(name): wrong bytes in the tunnel, within \(range.count) at \(tunnelReceived)")
                }
                tunnelReceived += range.count
                if tunnelReceived > tunnelSent { world.violate("\(name): the tunnel invents bytes") }
                run()
                return
            }
            if let tunnel {
                if head?["x-tunnel"] != nil,
                    !reader.buffer.isPattern(range, tunnel.refusalKey, from: bodyOffset)
                {
                    world.violate("\(name): body of the answer to CONNECT \(tunnel.number) is wrong")
                }
            } else if head?.number != nil,
                !reader.buffer.isPattern(range, plans[current].responseKey, from: bodyOffset)
            {
                world.violate(
                    "\(name): body of response \(plans[current].number) is wrong within \(range.count) bytes at \(bodyOffset)"
                )
            }
            bodyOffset += range.count
        }

        private func ended() {
            guard let head, let status = Int(head.startLine[1]) else { return }
            if status < 200 { return }
            if let tunnel {
                refused(tunnel, head)
                return
            }
            let plan = plans[current]
            note("response to \(plan.number) is complete with \(bodyOffset) bytes")
            if head.number != nil { checkWhole(plan, status) }
            plan.isAnswered = true
            current += 1
            if current == plans.count && endedEarly { finish(reset: false) }
            run()
        }

        /// The answer to a CONNECT has come, and is no tunnel.
        private func refused(_ tunnel: TunnelPlan, _ head: Head) {
            isRefused = true
            if head["x-tunnel"] != nil, bodyOffset != tunnel.refusalSize {
                world.violate(
                    "\(name): the answer to CONNECT \(tunnel.number) looks whole with \(bodyOffset) bytes")
            }
            guard tunnel.asksAgain, head["x-tunnel"] != nil, !isHasty, !wasToldClose else {
                finish(reset: false)
                return
            }
            tunnel.asksAgain = false
            tunnel.answer = .opens
            isRefused = false
            scriptTunnel(isHasty: false)
            run()
        }

        /// What looks like a whole response must be one.
        private func checkWhole(_ plan: ExchangePlan, _ status: Int) {
            if !plan.wholeSizes.contains(bodyOffset) {
                world.violate(
                    "\(name): the response to \(plan.number) looks whole with \(bodyOffset) bytes, not \(plan.wholeSizes)"
                )
            }
            if framing == .chunked && plan.responseBody == .chunked && plan.responseTrailers && !sawTrailer {
                world.violate("\(name): the trailers of \(plan.number) are lost")
            }
        }

        override func inputEnded() {
            if isTunnel {
                if world.profile.isStrict && asksTunnelEnd && tunnelReceived != tunnelSize && !world.isClosing
                    && world.failure == nil
                {
                    world.violate("\(name): the tunnel ended after \(tunnelReceived) of \(tunnelSize) bytes")
                }
            } else if reader.isUntilClose {
                reader.begin(.none)
                _ = reader.next()
                ended()
            } else if !reader.isBetweenMessages {
                requireLenience("a response was cut")
            }
            finish(reset: false)
        }

        override func wasReset() {
            left = true
            // After the last response whoever goes on talking is reset; who said that it would not may be in the middle of it.
            let isPastItsLast =
                current + 1 < plans.count && plans[current].isSaidToBeLast && plans[current + 1].beganSending
            if isPastItsLast { plans[current].isAnswered = true }
            let isExpected = wasToldClose && reader.isBetweenMessages || isPastItsLast
            if !isExpected { requireLenience("was reset") }
            finish(reset: false)
        }

        /// What must hold when it is gone.
        func check() {
            guard world.profile.isStrict, world.failure == nil, !world.isClosing else { return }
            if let tunnel, !isTunnel && !isRefused {
                world.violate(
                    "\(name): the CONNECT to \(tunnel.host) was not answered, though nothing went wrong")
            }
            for plan in plans {
                if plan.isAnswered {
                    if plan.endsConnection || world.isHandedOver { return }
                    continue
                }
                if world.isHandedOver && hasSentSecond { return }
                world.violate("\(name): request \(plan.number) was not answered, though nothing went wrong")
                return
            }
        }

        // MARK: - Tunnel

        private func scriptTunnel(isHasty: Bool) {
            guard let tunnel else { return }
            self.isHasty = isHasty
            var bytes: [UInt8] = []
            bytes.append("CONNECT \(tunnel.host) HTTP/1.1\r\nHost: \(tunnel.host)\r\n")
            if tunnel.isThroughParent { bytes.append("X-Tunnel: \(tunnel.number)\r\n") }
            if let shown = tunnel.credentials { bytes.append("Proxy-Authorization: \(shown)\r\n") }
            bytes.append("\r\n")
            add(.mark { tunnel.asked += 1 })
            if !isHasty {
                add(.bytes(bytes))
                bytes = []
                add(.wait)
                scriptTunnelBody()
            } else {
                // Not waiting for the answer.
                scriptTunnelBody(&bytes)
            }
        }

        /// A ClientHello in any records and pieces, and where things may go wrong one that leads nowhere.
        private func scriptHello() {
            var maker = HelloMaker(world.passing.pick(["relay.test", "a.relay.test", "A.b.Relay.Test."]))
            let size = world.passing.pick([1, 7, 100, 16_384])
            let padding = size < 100 ? 500 : world.passing.logarithmic(1...12_000)
            maker.extensions?.append(
                contentsOf: HelloMaker.extension(21, [UInt8](repeating: 0, count: padding)))
            hello = maker.records(of: size)
            if !world.profile.isStrict && world.passing.chance(15) {
                isMisnamed = true
                hello = world.passing.pick([
                    HelloMaker("other.test").records(), HelloMaker().records(),
                    HelloMaker("a..test").records(),
                    Array("GET / HTTP/1.1\r\n\r\n".utf8), [22, 3, 1, 0, 4, 1, 0xFF, 0, 0],
                ])
            }
            note("\(isMisnamed ? "a wrong" : "a") ClientHello of \(hello.count) bytes")
            addInPieces(hello)
        }

        /// What has come back of it; the range that is left.
        private func takeHello(_ range: Range<Int>) -> Range<Int> {
            if isMisnamed { world.violate("\(name): a wrong ClientHello was answered") }
            let size = min(range.count, hello.count - helloReceived)
            for offset in 0..<size
            where reader.buffer[range.lowerBound + offset] != hello[helloReceived + offset] {
                world.violate("\(name): the ClientHello came back changed at \(helloReceived + offset)")
            }
            helloReceived += size
            return range.lowerBound + size..<range.upperBound
        }

        private func scriptTunnelBody() {
            var bytes: [UInt8] = []
            scriptTunnelBody(&bytes)
        }

        private func scriptTunnelBody(_ bytes: inout [UInt8]) {
            var offset = 0
            while offset < tunnelSize {
                let part = min(world.random.logarithmic(1...tunnelSize - offset), 32_768)
                appendPattern(tunnelKey, offset..<offset + part, to: &bytes)
                offset += part
                let sent = offset
                add(.mark { [self] in tunnelSent = sent })
                add(.bytes(bytes))
                bytes = []
                if world.random.chance(20) {
                    add(.pause(Int64(world.random.logarithmic(1...100_000)) * microsecond))
                }
                if world.random.perMille(world.profile.abortPercent) { leave() }
            }
            if asksTunnelEnd {
                add(.endOutput)
            } else if world.random.chance(50) {
                add(.pause(world.random.time(0...second)))
                add(.close)
            }
        }
    }
#endif
