/// How a worker speaks TLS to one endpoint, and the tickets that it has of it. The worker's alone.
@safe final class EndpointTLS {
    let context: UpstreamTLSContext
    let host: TLSHost
    /// The newest last.
    private var tickets: [TLSTicket] = []

    /// Tickets at most: each holds the certificates of its endpoint, some KiB.
    private static let ticketLimit = 4

    init(_ tls: UpstreamTLS, _ endpoint: FixedUpstream) {
        context = tls.context
        host = tls.host(of: endpoint)
    }

    deinit { for ticket in tickets { ticket.free() } }

    /// A session with it, which goes on with an earlier one where that may be; nil without memory.
    func makeSession(_ wire: borrowing TLSWire, protocols: ApplicationProtocols) -> TLSSession? {
        guard let ticket = tickets.last else {
            return context.makeSession(wire, host: host, protocols: protocols, ticket: nil)
        }
        let session = context.makeSession(wire, host: host, protocols: protocols, ticket: ticket)
        if session != nil && !ticket.isLasting { tickets.removeLast().free() }
        return session
    }

    /// Takes what a session with it was given.
    func keepTickets(_ wire: borrowing TLSWire) {
        while let ticket = wire.takeTicket() {
            // One that lasts is enough.
            if ticket.isLasting || tickets.last?.isLasting ?? false { drop(tickets.count) }
            tickets.append(ticket)
            if tickets.count > Self.ticketLimit { drop(1) }
        }
    }

    private func drop(_ count: Int) {
        for ticket in tickets.prefix(count) { ticket.free() }
        tickets.removeFirst(count)
    }
}
