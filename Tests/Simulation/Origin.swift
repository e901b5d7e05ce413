#if DEBUG || TESTABLE
    @testable internal import UringProxy

    /// A server behind the proxy.
    final class Origin {
        enum Kind { case answering, echo, mirror, parent }

        unowned let world: World
        let address: SocketAddress
        let kind: Kind
        /// Connections to it are introduced, where the proxy does that: not those of forward requests.
        private let isOfCluster: Bool
        private(set) var connections = 0
        /// Refuses connections.
        var isDown = false

        init(_ world: World, _ address: SocketAddress, _ kind: Kind, isOfCluster: Bool = false) {
            self.world = world
            self.address = address
            self.kind = kind
            self.isOfCluster = isOfCluster
        }

        func accept(_ socket: Socket) {
            connections += 1
            let name = "origin \(address.port).\(connections)"
            let peer: Peer =
                switch kind {
                case .answering, .parent:
                    OriginConnection(world, name: name, port: address.port, isParent: kind == .parent)
                case .echo:
                    EchoPeer(
                        world, name: name,
                        isIntroduced: isOfCluster && world.profile.upstreamProxyHeader != nil)
                case .mirror: MirrorPeer(world, name: name)
                }
            peer.socket = socket
            socket.owner = peer
            // Where tunnels end anything may come first.
            if world.tls != nil && (kind != .echo || isOfCluster) { peer.expectTLS(always: kind == .echo) }
            peer.note("accepts")
        }
    }

    /// Sends back what it gets.
    final class EchoPeer: Peer {
        private var backlog = 0
        private let isIntroduced: Bool
        private var preface: ProxyPreface.Reader

        init(_ world: World, name: String, isIntroduced: Bool) {
            self.isIntroduced = isIntroduced
            preface = ProxyPreface.Reader(isExpected: isIntroduced)
            super.init(world, name: name)
            if world.random.chance(20) { choosePace() }
        }

        override var wantsInput: Bool { backlog < 64 * 1024 }

        override func received(_ bytes: UnsafeRawBufferPointer) {
            guard let rest = unsafe preface.read(bytes) else { return }
            if isIntroduced && preface.header == .nothing {
                world.violate("\(name): a relay without its header: \(rest.prefix(64))")
                return
            }
            let plain = opened(rest)
            if !plain.isEmpty { echo(plain) }
        }

        func echo(_ bytes: [UInt8]) {
            backlog += bytes.count
            let size = bytes.count
            add(.bytes(bytes))
            add(.mark { [self] in backlog -= size })
            run()
            if !world.profile.isStrict && world.random.perMille(world.profile.originFaultPercent / 2) {
                finish(reset: world.random.chance(50))
            }
        }

        override func scriptEnded() {
            if sawEnd {
                finish(reset: false)
            } else {
                // From the event loop: reading from here would echo from here, and so on, as deep as bytes keep coming.
                world.schedule(after: 0) { [self] in read() }
            }
        }

        override func inputEnded() {
            if !hasScript { finish(reset: false) }
        }

        override func wasReset() { finish(reset: false) }
    }

    /// One connection of a server: reads requests and answers each as its plan says.
    final class OriginConnection: Peer {
        var reader = MessageReader()
        private var plan: ExchangePlan?
        private var bodyOffset = 0
        private var attempt = 0
        private var requestEnded = false
        private var isAnswering = false
        private var hasAnswered = false
        var isEcho = false
        /// It has said 407: who would come on it after that might be taken for whoever came before.
        var demandsCredentials = false
        private var stopsReading = false
        private var preface: ProxyPreface.Reader
        private var requestCount = 0
        /// Nothing has come yet that would tell which version is spoken.
        private var mayMultiplex: Bool
        private var early: [UInt8] = []
        private var multiplexer: Multiplexer?
        private var isStream = false

        private let port: UInt16
        /// It is a proxy's, which stands for all origins.
        private let isParent: Bool

        static let demand = "Proxy-Authenticate: Basic realm=\"parent\"\r\n"

        init(_ world: World, name: String, port: UInt16, isParent: Bool) {
            self.port = port
            self.isParent = isParent
            preface = ProxyPreface.Reader(isExpected: world.profile.upstreamProxyHeader != nil)
            mayMultiplex = world.http2 != .off && !isParent
            super.init(world, name: name)
            if world.random.chance(15) {
                choosePace()
            }
        }

        override var wantsInput: Bool { !stopsReading }

        override func received(_ bytes: UnsafeRawBufferPointer) {
            guard let behind = unsafe preface.read(bytes) else { return }
            let rest = early + opened(behind)
            early = []
            if let multiplexer {
                multiplexer.received(rest)
                return
            }
            if mayMultiplex {
                // No method begins like that (RFC 9113 §3.4).
                if rest.count < 4 && "PRI ".utf8.starts(with: rest) {
                    early = rest
                    return
                }
                mayMultiplex = false
                if rest.starts(with: "PRI ".utf8) {
                    multiplexer = Multiplexer(self)
                    multiplexer?.received(rest)
                    return
                }
            }
            unsafe rest.withUnsafeBytes { unsafe reader.feed($0) }
            parse()
        }

        override func choosesHTTP2() -> Bool {
            mayMultiplex && (world.http2 == .on || world.multiplexing.chance(70))
        }

        /// Another one for a stream of it.
        func makeLikeness(name: String, _ socket: Socket) {
            let peer = OriginConnection(world, name: name, port: port, isParent: false)
            peer.mayMultiplex = false
            peer.isStream = true
            peer.socket = socket
            socket.owner = peer
        }

        private func parse() {
            while !isFinished, let event = reader.next() {
                switch event {
                case .head(let head): began(head)
                case .body(let range): body(range)
                case .trailer(let name, let value):
                    if name == "x-check" && value != plan.map({ "\($0.number)" }) {
                        world.violate("\(name): trailer \(value) in the request of another exchange")
                    }
                case .end: ended()
                case .invalid(let text):
                    world.violate("\(name): the proxy sent what is no request: \(text)")
                    return
                }
            }
        }

        private func began(_ head: Head) {
            if demandsCredentials { world.violate("\(name): used again after a 407") }
            if isParent && head.startLine[0] == "CONNECT" {
                beganTunnel(head)
                return
            }
            guard head.startLine.count == 3, let number = head.number, number < world.plans.count else {
                world.violate("\(name): a request without a number: \(head)")
                return
            }
            let plan = world.plans[number]
            note("request \(number), \(plan.method), attempt \(plan.arrivals + 1)")
            if self.plan != nil { world.violate("\(name): request \(number) within another exchange") }
            if head.startLine[0] != plan.method || !head.startLine[1].hasSuffix("/r/\(number)") {
                world.violate("\(name): request line of \(number) is \(head.startLine)")
            }
            checkChanges(plan, head)
            checkDestination(plan, head)
            checkUser(plan, head)
            if !plan.isForward || isParent, let since = world.absentSince[port], plan.beganSendingAt > since {
                world.violate("\(name): request \(number) came to an endpoint that is none any more")
            }
            if let cluster = plan.cluster, world.clusterOfPort[port] != cluster {
                world.violate("\(name): request \(number) is for cluster \(cluster)")
            }
            checkIntroduction(plan, head)
            checkTrace(plan, head)
            self.plan = plan
            plan.arrivals += 1
            attempt = plan.arrivals
            world.routeRules?.arrived(plan, at: world.clusterOfPort[port])
            if plan.arrivals > 1 && !plan.isIdempotent {
                world.violate("request \(number), a \(plan.method), reached an origin \(plan.arrivals) times")
            }
            bodyOffset = 0
            requestEnded = false
            isAnswering = false
            hasAnswered = false
            // In a stream a body of nothing may be none.
            let mayLackBody = isStream && plan.requestSize == 0 && !plan.requestTrailers && !head.isChunked
            if head.isChunked != (plan.requestBody == .chunked) && !mayLackBody
                || (head.length ?? 0) != (plan.requestBody == .length ? plan.requestSize : 0)
            {
                world.violate("\(name): framing of request \(number) changed: \(head)")
            }
            reader.begin(head.isChunked ? .chunked : head.length.map { .length($0) } ?? .none)
            if plan.responseFault == .deaf && !(plan.faultsOnce && attempt > 1) {
                stopsReading = true
                return
            }
            if plan.answersEarly { answer(plan) }
        }

        /// Whether the route has changed what it is to change.
        private func checkChanges(_ plan: ExchangePlan, _ head: Head) {
            if let rewritten = plan.rewritten, head.startLine[1] != "\(rewritten)/r/\(plan.number)" {
                world.violate("\(name): target of request \(plan.number) is \(head.startLine[1])")
            }
            if plan.rewritten != nil {
                let index = port - 8000
                let host = head["host"]
                if host != "upstream-\(index)" && host != "o\(index).test:\(port)" {
                    world.violate("\(name): Host of request \(plan.number) is \(host ?? "missing")")
                }
            }
            if head["x-told"] != plan.told {
                world.violate("\(name): request \(plan.number) is told \(head["x-told"] ?? "nothing")")
            }
        }

        /// Whether a forward request has come where it is to, and as it is to.
        private func checkDestination(_ plan: ExchangePlan, _ head: Head) {
            if plan.isThroughParent != isParent {
                world.violate("\(name): request \(plan.number) is \(isParent ? "not " : "")for a parent")
            }
            checkCredentials(head, plan.credentials)
            guard plan.isForward else { return }
            let target = isParent ? plan.target : ""
            if head.startLine[1] != "\(target)/r/\(plan.number)" || head["host"] != plan.host {
                world.violate("\(name): request \(plan.number) to \(plan.host) is \(head)")
            }
            if !isParent && !plan.host.hasSuffix(":\(port)") {
                world.violate("\(name): request \(plan.number) is for \(plan.host)")
            }
        }

        /// Whether it is told of the user what the proxy has found out, and nothing else.
        private func checkUser(_ plan: ExchangePlan, _ head: Head) {
            guard plan.rule != nil else { return }
            let user = plan.rule == .known ? plan.shown.user : nil
            if head["x-user"] != user {
                world.violate("\(name): request \(plan.number) is of \(head["x-user"] ?? "nobody")")
            }
            let isShown = head["authorization"] != nil
            let isPassed = plan.rule != .known && plan.shown != .none
            if isShown != isPassed { world.violate("\(name): credentials in \(head)") }
        }

        /// - Parameter received: what the client has shown the proxy.
        func checkCredentials(_ head: Head, _ received: String?) {
            let expected = isParent ? world.parentAuthorization.shown(received) : nil
            let shown = head["proxy-authorization"]
            if shown != expected {
                world.violate("\(name): is shown \(shown ?? "nothing"), not \(expected ?? "nothing")")
            }
        }

        /// Whether the proxy tells of the client what it was told.
        private func checkIntroduction(_ plan: ExchangePlan, _ head: Head) {
            if head["x-forwarded-for"] != plan.forwardedFor {
                world.violate(
                    "\(name): request \(plan.number) is for \(head["x-forwarded-for"] ?? "nobody"), not \(plan.forwardedFor ?? "nobody")"
                )
            }
            let isOfCluster = !plan.isForward || plan.isThroughParent
            checkHeader(of: "request \(plan.number)", isFor: isOfCluster ? plan.addresses : nil)
        }

        /// - Parameter expected: nil: there is to be none.
        func checkHeader(of what: String, isFor expected: AddressPair?) {
            requestCount += 1
            guard world.profile.upstreamProxyHeader != nil, let expected else {
                if preface.header != .nothing {
                    world.violate("\(name): a PROXY protocol header before \(what)")
                }
                return
            }
            guard case .header(_, let addresses) = preface.header, addresses == expected else {
                world.violate("\(name): \(preface.header) before \(what) of \(expected)")
                return
            }
            if requestCount > 1 { world.violate("\(name): \(what) behind another's header") }
        }

        /// Whether it is told of the trace what is well-formed, and the same with every attempt.
        private func checkTrace(_ plan: ExchangePlan, _ head: Head) {
            func violate(_ text: String) {
                world.violate(
                    "\(name): request \(plan.number) \(text): \(head), after \(plan.trace ?? "nothing")")
            }
            let told = head.fields.filter { $0.name == "traceparent" }.map(\.value)
            let state = head.fields.filter { $0.name == "tracestate" }.map(\.value)
            guard let tracing = world.tracing else {
                if told != (plan.trace.map { [$0] } ?? []) { violate("has another trace") }
                return
            }
            guard told.count == 1 else { return violate("has \(told.count) traces") }
            let parts = told[0].split(separator: "-", omittingEmptySubsequences: false)
            let isHexadecimal = parts.allSatisfy {
                $0.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }
            }
            guard parts.map(\.utf8.count) == [2, 32, 16, 2], isHexadecimal, parts[0] == "00",
                parts[1].contains(where: { $0 != "0" }), parts[2].contains(where: { $0 != "0" })
            else { return violate("has no trace") }
            let goesOn = plan.isTraced && tracing.parent != .ignore
            if (parts[1] == plan.traceID) != goesOn {
                violate(goesOn ? "has lost its trace" : "has a wrong trace")
            }
            if parts[2] == "00000000000000ff" { violate("names the client as its parent") }
            if state != (goesOn ? ["\(plan.number)"] : []) {
                violate("has \(state) as the state of its trace")
            }
            if goesOn && tracing.parent == .honour && parts[3] != plan.trace?.suffix(2) ?? "" {
                violate("is sampled otherwise than its client says")
            }
            if !goesOn && tracing.sample < 2 && parts[3] != (tracing.sample == 1 ? "03" : "02") {
                violate("is sampled otherwise than is configured")
            }
            if let before = plan.toldTrace, before != told[0] {
                violate("had another trace before, \(before)")
            }
            plan.toldTrace = told[0]
        }

        private func body(_ range: Range<Int>) {
            if isEcho {
                add(.bytes(Array(reader.buffer[range])))
                run()
                return
            }
            guard let plan else {
                world.violate("\(name): \(range.count) bytes for a tunnel that is not open")
                return
            }
            if !reader.buffer.isPattern(range, plan.requestKey, from: bodyOffset) {
                world.violate(
                    "\(name): body of request \(plan.number) is wrong within \(range.count) bytes at \(bodyOffset)"
                )
            }
            bodyOffset += range.count
        }

        private func ended() {
            guard let plan else { return }
            requestEnded = true
            if plan.requestFault != .none || !plan.sentWholeRequest || bodyOffset != plan.requestSize {
                world.violate(
                    "\(name): request \(plan.number) looks whole with \(bodyOffset) of \(plan.requestSize) bytes"
                )
            }
            plan.requestSeenWhole = true
            if isAnswering { run() } else { answer(plan) }
            exchangeMayEnd()
        }

        /// An echo behind a 101, or the next request.
        private func exchangeMayEnd() {
            guard requestEnded, hasAnswered else { return }
            plan = nil
        }

        override func scriptEnded() {
            if multiplexer != nil { return }
            if isEcho {
                if sawEnd { finish(reset: false) }
            }
        }

        override func inputEnded() {
            multiplexer?.end()
            // The proxy is done with this connection; a request may have been cut.
            if isEcho && hasScript { return }
            if let plan, isAnswering, hasScript, plan.requestSeenWhole { return }
            finish(reset: false)
        }

        override func wasReset() {
            multiplexer?.end()
            finish(reset: false)
        }

        // MARK: - Answering

        private func answer(_ plan: ExchangePlan) {
            isAnswering = true
            let fault = plan.faultsOnce && attempt > 1 ? .none : plan.responseFault
            if plan.thinkTime > 0 { add(.pause(plan.thinkTime)) }
            switch fault {
            case .silent:
                add(.pause(600 * second))
                add(.close)
                run()
                return
            case .closeFirst:
                add(.close)
                run()
                return
            case .resetFirst:
                add(.reset)
                run()
                return
            case .garbage:
                var bytes: [UInt8] = []
                bytes.append(
                    world.random.pick([
                        "HTTP/1.1 2000 OK\r\n\r\n", "\0\0\0\0", "nonsense\r\n\r\n",
                        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
                    ]))
                add(.bytes(bytes))
                add(.pause(world.random.time(0...second)))
                add(.close)
                run()
                return
            case .none, .closeWithin, .resetWithin, .extra, .deaf: break
            }
            for status in plan.interims {
                var bytes: [UInt8] = []
                bytes.append("HTTP/1.1 \(status) Interim\r\nX-Id: \(plan.number)\r\n\r\n")
                add(.bytes(bytes))
                if world.random.chance(50) {
                    add(.pause(Int64(world.random.logarithmic(1...30_000)) * microsecond))
                }
            }
            if plan.interims.contains(100) && plan.answersEarly {
                // It asked for the body, so it waits for it.
                add(.wait)
            }
            if plan.upgrades && plan.status == 101 {
                var bytes: [UInt8] = []
                bytes.append(
                    "HTTP/1.1 101 Switching Protocols\r\nX-Id: \(plan.number)\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n"
                )
                add(.bytes(bytes))
                isEcho = true
                reader.begin(.tunnel)
                run()
                return
            }
            addResponse(plan, fault)
            run()
        }

        override func mayGoOn() -> Bool { requestEnded }

        private func addResponse(_ plan: ExchangePlan, _ fault: ExchangePlan.ResponseFault) {
            var bytes: [UInt8] = []
            bytes.append(
                "HTTP/1.\(plan.answersHTTP10 ? 0 : 1) \(plan.status) Some Reason\r\nX-Id: \(plan.number)\r\n")
            var framing = plan.responseBody
            if plan.status == 204 { framing = .none }
            switch framing {
            case .none: if plan.status != 204 && plan.status != 304 { bytes.append("Content-Length: 0\r\n") }
            case .length: bytes.append("Content-Length: \(plan.responseSize)\r\n")
            case .chunked: bytes.append("Transfer-Encoding: chunked\r\n")
            case .untilClose: break
            }
            if plan.announcesClose { bytes.append("Connection: close\r\n") }
            if plan.status == 407 { bytes.append(Self.demand) }
            if plan.headPadding > 0 {
                bytes.append("X-Padding: \(String(repeating: "p", count: plan.headPadding))\r\n")
            }
            bytes.append("\r\n")
            let size = plan.responseHasBody ? plan.responseSize : 0
            var cut = Int.max
            if fault == .closeWithin || fault == .resetWithin {
                cut = size == 0 ? 0 : world.random.below(size)
            }
            var offset = 0
            var isCut = cut == 0
            let whole = min(size, cut)
            if isCut && (size == 0 || world.random.chance(50)) {
                // Within the head.
                bytes.removeLast(world.random.within(1...bytes.count - 1))
            }
            while offset < size && !isCut {
                var part =
                    world.random.chance(50) ? size - offset : world.random.logarithmic(1...size - offset)
                part = min(part, 32_768)
                if offset + part > cut {
                    part = cut - offset
                    isCut = true
                }
                if part > 0 {
                    if framing == .chunked { bytes.append("\(String(part, radix: 16))\r\n") }
                    appendPattern(plan.responseKey, offset..<offset + part, to: &bytes)
                    if framing == .chunked { bytes.append("\r\n") }
                }
                offset += part
                // Chunks are followed by the last one.
                if offset == size && framing == .length { add(.mark { plan.wholeSizes.append(whole) }) }
                add(.bytes(bytes))
                bytes = []
                if offset < size && world.random.chance(15) {
                    add(.pause(Int64(world.random.logarithmic(1...200_000)) * microsecond))
                }
            }
            if isCut {
                if !bytes.isEmpty { add(.bytes(bytes)) }
                if fault == .closeWithin && framing == .untilClose {
                    add(.mark { plan.wholeSizes.append(whole) })
                }
                add(fault == .closeWithin ? .close : .reset)
                return
            }
            if framing == .chunked && plan.responseHasBody {
                bytes.append("0\r\n")
                if plan.responseTrailers { bytes.append("X-Check: \(plan.number)\r\nX-More: trailer\r\n") }
                bytes.append("\r\n")
            }
            add(.mark { plan.wholeSizes.append(whole) })
            if !bytes.isEmpty { add(.bytes(bytes)) }
            add(
                .mark { [self] in
                    hasAnswered = true
                    if plan.status == 407 { demandsCredentials = true }
                    exchangeMayEnd()
                })
            if fault == .extra && framing != .untilClose { add(.bytes(Array("surplus".utf8))) }
            if plan.closesAfter || framing == .untilClose && plan.responseHasBody || plan.announcesClose {
                if world.random.chance(30) {
                    add(.pause(Int64(world.random.logarithmic(1...300_000)) * microsecond))
                }
                if plan.answersEarly && !plan.readsBody {
                    stopsReading = true
                    add(.close)
                } else if plan.answersEarly && !requestEnded {
                    // Its side ends; what still comes is read.
                    add(.endOutput)
                    add(.pause(second))
                    add(.close)
                } else {
                    add(.close)
                }
            }
        }
    }
#endif
