// The PROXY protocol: who a proxy before this one says its connections are from, and what we tell upstreams of ours.
extension Engine where D: ~Copyable {
    // MARK: - In

    /// Makes a new connection wait for its header; false if its peer may not send one.
    mutating func expectProxyHeader(_ connection: inout Connection) -> Bool {
        connection.phase = .readingProxyHeader
        guard !trust.headerSenders.isEmpty else { return true }
        askPeer(&connection)
        if trust.headerSenders.contains(connection.peer) { return true }
        counters.add(.proxySendersRefused)
        return false
    }

    /// Some of a header has come, or the end of the stream.
    mutating func readProxyHeader(_ slot: UInt32) {
        var verdict = parseProxyHeader(slot)
        if verdict == .incomplete {
            // It may go on in the next segment; and what little came need not hold the slice it came in.
            guard segments.makeContiguous(&connections[slot].input, upTo: settings.proxyHeaderLimit) else {
                counters.add(.buffersExhausted)
                close(slot)
                return
            }
            verdict = parseProxyHeader(slot)
        }
        switch verdict {
        case .complete(let header):
            accept(header, slot)
        case .incomplete where !connections[slot].inputEnded:
            updateReceive(slot)
            armTimer(slot)
        case .incomplete, .invalid:
            // Somebody who says nothing at all looks whether the port is open.
            if !connections[slot].input.isEmpty { counters.add(.proxyHeadersRefused) }
            // No answer: whether HTTP is spoken here is not known before the header.
            close(slot)
        }
    }

    private func parseProxyHeader(_ slot: UInt32) -> ProxyHeader.Verdict {
        ProxyHeader.parse(segments.firstView(of: connections[slot].input), limit: settings.proxyHeaderLimit)
    }

    /// From here on the connection is whose the header says, and what follows its first request.
    private mutating func accept(_ header: ProxyHeader, _ slot: UInt32) {
        counters.add(.proxyHeadersRead)
        var connection = connections[slot]
        segments.consume(UInt32(header.size), from: &connection.input)
        if let addresses = header.addresses {
            connection.peer = addresses.source
            connection.peerKnown = true
        }
        relayedAddresses[slot] = header.addresses
        let mayStay = enterClient(&connection)
        connection.phase = .waiting
        connection.phaseStartedAt = driver.now
        connections[slot] = connection
        if !mayStay {
            close(slot)
        } else if listeners[connection.listener].beginsWithTLS {
            awaitHandshake(slot)
        } else if listeners[connection.listener].role == .tcp {
            startRelay(slot)
        } else {
            readRequests(slot)
        }
    }

    // MARK: - Out

    /// Whether requests to an endpoint that are written now begin with a header.
    @inline(__always)
    func namesClient(_ endpoint: UInt32) -> Bool {
        settings.upstreamProxyHeader != nil && endpoints[endpoint].kind == .fixed
    }

    /// Writes the header that goes before the request whose head has just been parsed out of `bytes`: as one piece with it,
    /// so that it leaves at once, and again with it if the request has to be sent again.
    mutating func writeProxyHeader(_ slot: UInt32, _ bytes: ByteView, _ writer: inout ByteWriter) {
        guard let version = settings.upstreamProxyHeader else { return }
        var addresses = addresses(of: slot)
        let client = clientAddress(slot, bytes)
        if addresses != nil, client != peer(of: slot) {
            addresses?.source = client
            // Nobody told its port.
            addresses?.sourcePort = 0
            // What the peer's connection has of TLS is not that client's.
            var extensions = ProxyExtensions()
            extensions.hasChecksum = settings.upstreamProxyTLVs.contains(.checksum)
            writer.append(proxyHeader: version, addresses, extensions)
            return
        }
        writer.append(proxyHeader: version, addresses, proxyExtensions(of: slot))
    }

    /// Puts the header before all that a relay sends upstream; false if there is no memory for it.
    mutating func sendProxyHeader(_ slot: UInt32, to upstream: UInt32) -> Bool {
        guard let version = settings.upstreamProxyHeader else { return true }
        guard let slice = arena.lease(.tiny) else {
            counters.add(.buffersExhausted)
            return false
        }
        var writer = unsafe ByteWriter(base: arena.address(slice), capacity: SliceClass.tiny.sliceSize)
        writer.append(proxyHeader: version, addresses(of: slot), proxyExtensions(of: slot))
        precondition(!writer.overflowed, "a header fits a slice")
        outputBegins(upstream)
        segments.append(
            Segment(slice: slice, offset: 0, size: UInt32(writer.count)), to: &connections[upstream].output)
        queueFlush(upstream)
        return true
    }

    /// What headers tell of a downstream connection beside its addresses: good as long as its session, and until another
    /// connection's `serverName` is read.
    @inline(__always)
    private mutating func proxyExtensions(of slot: UInt32) -> ProxyExtensions {
        settings.upstreamProxyTLVs.isEmpty ? ProxyExtensions() : readProxyExtensions(of: slot)
    }

    @inline(never)
    private mutating func readProxyExtensions(of slot: UInt32) -> ProxyExtensions {
        let kinds = settings.upstreamProxyTLVs
        var extensions = ProxyExtensions()
        extensions.hasChecksum = kinds.contains(.checksum)
        let carrier = carrier(of: slot)
        guard isSecure(carrier) else {
            // What is passed on waits in the input with its ClientHello.
            if kinds.contains(.authority), listeners[connections[slot].listener].serverNames >= 0,
                case .complete(let size) = parseClientHello(slot)
            {
                extensions.authority = unsafe ByteView(base: serverName.pointer, count: size)
            }
            return extensions
        }
        let session = tls[carrier].session
        if kinds.contains(.authority) { extensions.authority = session.text(.host) }
        if kinds.contains(.alpn) { extensions.alpn = session.text(.protocol) }
        guard !kinds.isDisjoint(with: [.ssl, .commonName, .cipher]) else { return extensions }
        var told = ProxyExtensions.TLS()
        told.version = session.text(.version)
        if kinds.contains(.cipher) { told.cipher = session.text(.cipher) }
        if kinds.contains(.commonName) { told.commonName = session.peerText(.commonName) }
        told.hasCertificate = session.hasPeerCertificate
        told.isResumed = session.isResumed
        extensions.tls = told
        return extensions
    }

    /// Whose request it is whose head has just been parsed: behind trusted proxies the first hop that is none of them.
    mutating func clientAddress(_ slot: UInt32, _ bytes: ByteView) -> IPAddress {
        let peer = peer(of: slot)
        guard !trust.proxies.isEmpty else { return peer }
        let chain = ForwardedChain(trust.field, fields: fields, bytes: bytes)
        return chain.client(of: peer, trusting: trust.proxies)
    }

    /// Both ends of a downstream connection as its client has them; nil for a unix socket.
    private mutating func addresses(of slot: UInt32) -> AddressPair? {
        if keepsRelayedAddresses, let relayed = relayedAddresses[slot] { return relayed }
        let descriptor = connections[carrier(of: slot)].descriptor
        guard let remote = driver.peerAddress(descriptor), let source = remote.address,
            let local = driver.localAddress(descriptor), let destination = local.address
        else { return nil }
        return AddressPair(
            source: source, destination: destination, sourcePort: remote.port, destinationPort: local.port)
    }
}
