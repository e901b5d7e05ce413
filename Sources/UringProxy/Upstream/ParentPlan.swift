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
        authorization = credentials.isEmpty ? [] : Array("Basic ".utf8) + Self.base64(credentials)
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

    /// RFC 4648 §4.
    static func base64(_ bytes: [UInt8]) -> [UInt8] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits: UInt32 = 0
            for place in 0..<3 { bits = bits << 8 | (place < group.count ? UInt32(group[start + place]) : 0) }
            for place in 0..<4 {
                text.append(
                    place <= group.count
                        ? alphabet[Int(bits >> UInt32(18 - 6 * place) & 63)] : UInt8(ascii: "="))
            }
        }
        return text
    }
}
