internal import COpenSSL
internal import Synchronization

/// What session tickets are sealed with (RFC 5077, RFC 8446 §4.6.1): the newest key seals, all of them open. Whatever shares them goes on
/// with each other's sessions, across reloads as well. Any thread.
@safe final class TLSTicketKeys: @unchecked Sendable {
    /// Where keys come from.
    enum Source: Hashable, Sendable {
        /// Random ones, the same as long as the process lives; another one seals after each period (nanoseconds).
        case own(period: Int64)
        case files([String])

        /// nil: there are no tickets.
        init?(_ configuration: TLSConfiguration) {
            if !configuration.sessionTickets { return nil }
            if configuration.ticketKeyPaths.isEmpty {
                let period = configuration.ticketRotation ?? TLSConfiguration.defaultTicketRotation
                self = .own(period: period.rawValue)
            } else {
                self = .files(configuration.ticketKeyPaths)
            }
        }
    }

    /// The most keys there are.
    static let limit = Int(COPENSSL_TICKETS)
    /// Bytes of a key: a name, and one each for AES-128-CBC and HMAC, or for HMAC and AES-256-CBC; as nginx writes them.
    static let sizes = [48, 80]
    /// How long a ticket is good (nanoseconds): OpenSSL's.
    private static let ticketLife: Int64 = 7_200_000_000_000

    /// `struct copenssl_tickets`.
    let pointer: OpaquePointer
    private let period: Int64
    private let state: Mutex<State>

    private struct State {
        /// The newest first.
        var keys: [[UInt8]] = []
        /// When the next one is to be made (monotonic nanoseconds).
        var dueAt: Int64
    }

    /// - Parameters:
    ///   - period: after which another key seals; `.max`: never.
    ///   - now: monotonic nanoseconds.
    init(period: Int64 = .max, now: Int64 = 0) {
        guard let made = unsafe copenssl_tickets_make() else {
            preconditionFailure("no memory for the keys of session tickets")
        }
        unsafe pointer = made
        self.period = period
        state = Mutex(State(dueAt: Self.due(now, period)))
        use([Self.random()])
    }

    deinit { unsafe copenssl_tickets_free(pointer) }

    private static func due(_ now: Int64, _ period: Int64) -> Int64 {
        let (sum, overflow) = now.addingReportingOverflow(period)
        return overflow ? .max : sum
    }

    private static func random() -> [UInt8] {
        var random = SystemRandomNumberGenerator()
        return (0..<80).map { _ in random.next() }
    }

    /// Seals with a key of its own that is new, if it is time. Those before are kept as long as there may be tickets of theirs.
    func rotate(now: Int64) {
        state.withLock { state in
            guard now >= state.dueAt else { return }
            let kept = Int((Self.ticketLife + period - 1) / period)
            state.keys = Array(([Self.random()] + state.keys).prefix(min(1 + kept, Self.limit)))
            state.dueAt = Self.due(now, period)
            set(state.keys)
        }
    }

    /// Goes on with other keys.
    ///
    /// - Parameter keys: each of one of `sizes`; the first one seals.
    func use(_ keys: [[UInt8]]) {
        precondition(!keys.isEmpty && keys.count <= Self.limit)
        state.withLock { state in
            if state.keys == keys { return }
            state.keys = keys
            set(keys)
        }
    }

    private func set(_ keys: [[UInt8]]) {
        var bytes: [UInt8] = []
        for key in keys {
            bytes.append(UInt8(key.count))
            bytes += [UInt8](repeating: 0, count: 7) + key
            bytes += [UInt8](repeating: 0, count: 80 - key.count)
        }
        unsafe copenssl_tickets_set(pointer, bytes, keys.count)
        unsafe bytes.withUnsafeMutableBytes { unsafe copenssl_cleanse($0.baseAddress, $0.count) }
    }
}
