// Passing TLS on by the name that is asked for: nothing is decrypted, and the bytes that were looked at go on as they came.
extension Engine where D: ~Copyable {
    /// Some of a ClientHello has come, or the end of the stream before it was whole: where the connection goes.
    @inline(never)
    mutating func readServerName(_ slot: UInt32) {
        var verdict = parseClientHello(slot)
        if verdict == .incomplete {
            let seen = segments.firstView(of: connections[slot].input).count
            // It may go on in the next segment; and what little came need not hold the slice it came in.
            guard segments.makeContiguous(&connections[slot].input, upTo: ClientHello.limit) else {
                counters.add(.buffersExhausted)
                refuseRelay(slot, .outOfMemory)
                return
            }
            if segments.firstView(of: connections[slot].input).count > seen {
                verdict = parseClientHello(slot)
            }
        }
        switch verdict {
        case .incomplete where connections[slot].inputEnded:
            counters.add(.tlsAbandoned)
            connections[slot].resetsOnClose = true
            close(slot)
        case .incomplete:
            updateReceive(slot)
            armTimer(slot)
        case .malformed: refuseRelay(slot, .clientHelloMalformed)
        case .tooLarge: refuseRelay(slot, .clientHelloTooLarge)
        case .plain: relayToDefault(slot, otherwise: .clientHelloMissing)
        case .complete(let nameSize):
            relayByName(slot, unsafe ByteView(base: serverName.pointer, count: nameSize))
        }
    }

    /// Reads what has come; the name is in `serverName` then.
    mutating func parseClientHello(_ slot: UInt32) -> ClientHello.Verdict {
        ClientHello.parse(segments.firstView(of: connections[slot].input), name: &serverName)
    }

    private mutating func relayByName(_ slot: UInt32, _ name: ByteView) {
        if name.isEmpty {
            relayToDefault(slot, otherwise: .serverNameMissing)
            return
        }
        let place = Int(listeners[connections[slot].listener].serverNames)
        guard let table = serverNames[place], let rule = table.rule(for: name) else {
            relayToDefault(slot, otherwise: .serverNameUnknown)
            return
        }
        counters.add(.serverNamesFollowed)
        startRelay(slot, cluster: table.cluster(ofRule: rule))
    }

    private mutating func relayToDefault(_ slot: UInt32, otherwise error: ProxyError) {
        let cluster = listeners[connections[slot].listener].cluster
        if cluster < 0 {
            refuseRelay(slot, error)
        } else {
            counters.add(.serverNamesDefaulted)
            startRelay(slot, cluster: cluster)
        }
    }

    /// A connection that no cluster gets.
    mutating func refuseRelay(_ slot: UInt32, _ error: ProxyError) {
        counters.add(failure: error)
        connections[slot].resetsOnClose = true
        close(slot)
    }
}
