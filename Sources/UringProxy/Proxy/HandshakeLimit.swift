/// How many handshakes of TLS may be under way, of all workers together and of each client: they cost more than what comes after them.
struct HandshakeLimit: Sendable {
    /// Those that are under way; it outlives every reload.
    let load: ListenerLoad
    /// At most; 0: any number.
    let limit: Int
    /// Those of each client; nil: any number.
    let clients: ClientLimit?

    /// - Parameter previous: what counts already: handshakes leave where they entered.
    init(_ configuration: Configuration, after previous: HandshakeLimit?, seed: UInt64) {
        load = previous?.load ?? ListenerLoad()
        limit = configuration.limitHandshakes
        let limit = configuration.limitHandshakesPerClient
        clients = previous?.clients ?? (limit > 0 ? ClientLimit(limit: limit, seed: seed) : nil)
    }
}
