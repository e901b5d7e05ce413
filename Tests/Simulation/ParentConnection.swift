#if DEBUG || TESTABLE
    @testable internal import UringProxy

    /// What a parent makes of CONNECT: it is the other end of the tunnel, or refuses, or fails. Other requests it answers in the
    /// place of their origins.
    extension OriginConnection {
        func beganTunnel(_ head: Head) {
            guard let number = head["x-tunnel"].flatMap({ Int($0) }), number < world.tunnels.count else {
                world.violate("\(name): a CONNECT without a number: \(head)")
                return
            }
            let tunnel = world.tunnels[number]
            note("CONNECT \(number): \(tunnel.answer)")
            if !tunnel.isThroughParent { world.violate("\(name): tunnel \(number) is not for a parent") }
            if head.startLine.count != 3 || head.startLine[1] != tunnel.host || head["host"] != tunnel.host {
                world.violate("\(name): CONNECT \(number) to \(tunnel.host) is \(head)")
            }
            if head.isChunked || head.length != nil {
                world.violate("\(name): CONNECT \(number) has content: \(head)")
            }
            tunnel.arrivals += 1
            if tunnel.arrivals > tunnel.asked {
                world.violate("\(name): CONNECT \(number) came \(tunnel.arrivals) times")
            }
            checkCredentials(head, tunnel.credentials)
            checkHeader(of: "CONNECT \(number)", isFor: tunnel.addresses)
            answer(tunnel)
        }

        private func answer(_ tunnel: TunnelPlan) {
            if tunnel.thinkTime > 0 { add(.pause(tunnel.thinkTime)) }
            // What follows belongs into a tunnel, if there will be one.
            reader.begin(tunnel.answer == .opens ? .tunnel : .none)
            func text(_ text: String) { add(.bytes(Array(text.utf8))) }
            if tunnel.hasInterim { text("HTTP/1.1 103 Early\r\nX-Tunnel: \(tunnel.number)\r\n\r\n") }
            switch tunnel.answer {
            case .opens:
                add(
                    .mark { [self] in
                        tunnel.isOpen = true
                        isEcho = true
                    })
                text(
                    "HTTP/1.\(tunnel.opensHTTP10 ? 0 : 1) \(tunnel.openingStatus) Fine\r\n\(tunnel.opening)\r\n"
                )
            case .refuses(let status): addRefusal(tunnel, status, isCut: false)
            case .isCut(let status): addRefusal(tunnel, status, isCut: true)
            case .closes: add(.close)
            case .resets: add(.reset)
            case .isSilent:
                add(.pause(600 * second))
                add(.close)
            case .isGarbage:
                text("nonsense\r\n\r\n")
                add(.close)
            case .switches:
                text("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n")
                add(.pause(second))
                add(.close)
            }
            run()
        }

        private func addRefusal(_ tunnel: TunnelPlan, _ status: Int, isCut: Bool) {
            add(
                .mark { [self] in
                    tunnel.isRefused = true
                    if reader.unread > 0 {
                        world.violate("\(name): \(reader.unread) bytes for a tunnel that is not open")
                    }
                })
            var bytes: [UInt8] = []
            bytes.append("HTTP/1.1 \(status) No\r\nX-Tunnel: \(tunnel.number)\r\n")
            if status == 407 { bytes.append(Self.demand) }
            if tunnel.announcesClose { bytes.append("Connection: close\r\n") }
            let size = tunnel.refusalSize
            switch tunnel.refusalBody {
            case .length: bytes.append("Content-Length: \(size)\r\n\r\n")
            case .chunked: bytes.append("Transfer-Encoding: chunked\r\n\r\n\(String(size, radix: 16))\r\n")
            case .untilClose, .none: bytes.append("\r\n")
            }
            appendPattern(tunnel.refusalKey, 0..<(isCut ? size / 2 : size), to: &bytes)
            if tunnel.refusalBody == .chunked && !isCut { bytes.append("\r\n0\r\n\r\n") }
            add(.bytes(bytes))
            if status == 407 { add(.mark { [self] in demandsCredentials = true }) }
            if isCut || tunnel.announcesClose || tunnel.refusalBody == .untilClose { add(.close) }
        }
    }
#endif
