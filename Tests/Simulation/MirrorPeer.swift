#if DEBUG || TESTABLE
    @testable internal import UringProxy

    /// One connection of a server that gets copies of requests: they have to be whole, and it answers them however badly, for
    /// nothing of that may reach a client.
    final class MirrorPeer: Peer {
        private var reader = MessageReader()
        private var plan: ExchangePlan?
        private var bodyOffset = 0
        private var requestCount = 0
        private var preface: ProxyPreface.Reader

        override init(_ world: World, name: String) {
            preface = ProxyPreface.Reader(isExpected: world.profile.upstreamProxyHeader != nil)
            super.init(world, name: name)
            if world.mirrors.chance(15) { choosePace() }
        }

        override func received(_ bytes: UnsafeRawBufferPointer) {
            guard let behind = unsafe preface.read(bytes) else { return }
            let rest = opened(behind)
            unsafe rest.withUnsafeBytes { unsafe reader.feed($0) }
            while !isFinished, let event = reader.next() {
                switch event {
                case .head(let head): began(head)
                case .body(let range): body(range)
                case .end: ended()
                case .trailer: world.violate("\(name): trailers of a request that is not to be mirrored")
                case .invalid(let text):
                    world.violate("\(name): the proxy sent what is no request: \(text)")
                    return
                }
            }
        }

        private func began(_ head: Head) {
            guard let number = head.number, number < world.plans.count else {
                world.violate("\(name): a copy without a number: \(head)")
                return
            }
            let plan = world.plans[number]
            note("copy of request \(number), \(plan.method)")
            if self.plan != nil { world.violate("\(name): the copy of \(number) within another one") }
            let target = head.startLine.count == 3 ? head.startLine[1] : ""
            if head.startLine[0] != plan.method || target != "\(plan.rewritten ?? plan.target)/r/\(number)" {
                world.violate("\(name): request line of the copy of \(number) is \(head.startLine)")
            }
            if plan.rewritten != nil && head["host"] != "mirror" {
                world.violate("\(name): Host of the copy of \(number) is \(head["host"] ?? "missing")")
            }
            if plan.upgrades || head.isChunked || (head.length ?? 0) != plan.requestSize {
                world.violate("\(name): request \(number) is not to be mirrored: \(head)")
            }
            plan.copies += 1
            if plan.copies > 1 && !plan.isIdempotent {
                world.violate("a copy of request \(number), a \(plan.method), came \(plan.copies) times")
            }
            requestCount += 1
            if world.profile.upstreamProxyHeader != nil {
                guard case .header(_, let addresses) = preface.header, addresses == plan.addresses,
                    requestCount == 1
                else {
                    world.violate("\(name): \(preface.header) before the copy of request \(number)")
                    return
                }
            }
            self.plan = plan
            bodyOffset = 0
            reader.begin(head.length.map { .length($0) } ?? .none)
        }

        private func body(_ range: Range<Int>) {
            guard let plan else { return }
            if !reader.buffer.isPattern(range, plan.requestKey, from: bodyOffset) {
                world.violate("\(name): body of the copy of \(plan.number) is wrong at \(bodyOffset)")
            }
            bodyOffset += range.count
        }

        private func ended() {
            guard let plan else { return }
            self.plan = nil
            if bodyOffset != plan.requestSize {
                world.violate("\(name): \(bodyOffset) bytes of the copy of \(plan.number)")
            }
            answer(isHead: plan.method == "HEAD")
        }

        override func inputEnded() { finish(reset: false) }
        override func wasReset() { finish(reset: false) }

        private func answer(isHead: Bool) {
            func text(_ text: String) { add(.bytes(Array(text.utf8))) }
            if world.mirrors.chance(50) {
                add(.pause(Int64(world.mirrors.logarithmic(1...2_000_000)) * microsecond))
            }
            if world.mirrors.chance(10) { text("HTTP/1.1 103 Early\r\nX-Id: none\r\n\r\n") }
            let size = world.mirrors.logarithmic(1...(world.mirrors.chance(10) ? 200_000 : 3000))
            let body = [UInt8](repeating: UInt8(ascii: "m"), count: isHead ? 0 : size)
            switch world.mirrors.below(12) {
            case 0...3:
                text(
                    "HTTP/1.1 \(world.mirrors.pick([200, 404, 503])) Mirror\r\nContent-Length: \(size)\r\n\r\n"
                )
                add(.bytes(body))
            case 4:
                text("HTTP/1.1 204 Mirror\r\n\r\n")
            case 5:
                text("HTTP/1.1 200 Mirror\r\nTransfer-Encoding: chunked\r\n\r\n")
                if isHead { break }
                text("\(String(size, radix: 16))\r\n")
                add(.bytes(body))
                text("\r\n0\r\n\(world.mirrors.pick(["", "X-Trailer: t\r\n"]))\r\n")
            case 6:
                text("HTTP/1.1 200 Mirror\r\n\r\n")
                add(.bytes(body))
                add(.close)
            case 7:
                text("HTTP/1.1 200 Mirror\r\nContent-Length: \(size + 1)\r\n\r\n")
                add(.bytes(body))
                add(world.mirrors.pick([.close, .reset]))
            case 8: add(world.mirrors.pick([.close, .reset]))
            case 9:
                text("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n")
            case 10: text("nonsense\r\n\r\n")
            // Never.
            default: add(.wait)
            }
            run()
        }

        override func mayGoOn() -> Bool { false }
    }
#endif
