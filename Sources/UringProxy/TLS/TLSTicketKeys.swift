internal import COpenSSL

/// What session tickets are sealed with (RFC 5077, RFC 8446 §4.6.1): random, and the same as long as the process lives, so that sessions
/// go on after a reload.
struct TLSTicketKeys: Sendable {
    let bytes: [UInt8]

    init() {
        var random = SystemRandomNumberGenerator()
        bytes = (0..<COPENSSL_TICKET_KEYS).map { _ in random.next() }
    }
}
