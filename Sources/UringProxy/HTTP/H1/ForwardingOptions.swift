/// What a forwarded request tells the upstream about downstream and about this proxy.
struct ForwardingOptions: BitwiseCopyable {
    /// What becomes of fields that name the client.
    enum ClientFields: UInt8, BitwiseCopyable {
        /// Passed on as received, nothing added.
        case off
        /// What was received is believed, and this hop added.
        case append
        /// What was received is dropped: the client is no proxy of ours.
        case replace
    }

    /// This proxy's name in Via (RFC 9110 §7.6.3); empty writes none.
    var via = ByteView.empty
    /// What Via says of the version that downstream spoke.
    var isHTTP2 = false
    /// X-Forwarded-For, -Proto and -Host.
    var xForwarded = ClientFields.off
    /// Forwarded (RFC 7239).
    var forwarded = ClientFields.off
    /// The field that tells of the user, and their name; an empty field writes none.
    var userField = ByteView.empty
    var user = ByteView.empty
    /// Tell the upstream that no other request follows on its connection (RFC 9112 §9.6).
    var closes = false

    /// What is asked is a proxy, and so for the whole target (RFC 9112 §3.2.2).
    var toProxy = false
    /// Proxy-Authorization is meant for the next hop (RFC 9110 §11.7.2).
    var passesAuthorization = false
    /// The value of a Proxy-Authorization of our own; empty writes none.
    var authorization = ByteView.empty

    /// The peer is none of the proxies that are believed: what it says of others is dropped.
    mutating func disbelieve() {
        if xForwarded == .append { xForwarded = .replace }
        if forwarded == .append { forwarded = .replace }
    }
}
