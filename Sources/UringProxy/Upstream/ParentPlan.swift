/// How the forward proxy uses the proxies that it sends requests through, whichever listener names them. Never changes.
struct ParentPlan: Sendable {
    /// Reached without the parent.
    private let direct: DestinationRules
    /// Downstream's Proxy-Authorization is meant for the parent.
    let passesAuthorization: Bool
    /// The value of our own Proxy-Authorization; empty: none.
    let authorization: [UInt8]

    /// No parent.
    init() {
        do { try self.init(direct: [], passesAuthorization: false, credentials: []) } catch {
            preconditionFailure("no rules, no error")
        }
    }

    /// - Parameters:
    ///   - direct: each element is a list of rules separated by commas (see `DestinationRule`).
    ///   - credentials: `USER:PASSWORD` (RFC 7617 §2); empty: none.
    init(direct: [String], passesAuthorization: Bool, credentials: [UInt8]) throws(DestinationRuleError) {
        self.direct = try DestinationRules(direct)
        self.passesAuthorization = passesAuthorization
        authorization = credentials.isEmpty ? [] : Array("Basic ".utf8) + Base64.encode(credentials)
    }

    /// Whether a destination is reached without the parent. Names are not resolved for that: who looks them up is the parent.
    ///
    /// - Parameter host: as the request gave it, a name or an address, in brackets or without.
    func isDirect(host: ByteView, port: UInt16) -> Bool {
        if direct.isEmpty { return false }
        if direct.coversAnyHost(port: port) { return true }
        if let address = HostName.literal(host) { return direct.cover(address, port: port) }
        guard let name = HostName.normalised(host) else { return false }
        return direct.cover(name: name, port: port)
    }
}
