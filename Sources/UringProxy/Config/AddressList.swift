/// Addresses as options take them: `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`, and `unix:` for whoever comes over a unix
/// socket; several in one text, separated by commas.
enum AddressList {
    /// What the peer of a unix socket has for an address: none that a packet could come from.
    private static let unix = AddressPrefix(.unspecified, length: 128)

    static func parse(_ texts: [String]) throws(OptionSyntaxError) -> [AddressPrefix] {
        var prefixes: [AddressPrefix] = []
        for text in texts {
            for part in text.split(separator: ",", omittingEmptySubsequences: false) {
                let text = String(part.drop { $0 == " " })
                prefixes.append(text == "unix:" ? unix : try block(text))
            }
        }
        return prefixes
    }

    /// One address, or a block of them.
    static func block(_ text: String) throws(OptionSyntaxError) -> AddressPrefix {
        do {
            return try AddressPrefix(parsing: text[...])
        } catch {
            switch error {
            case .notAddress:
                throw OptionSyntaxError(
                    "\(quoted(text)) is neither an address nor a block of them: write for example 192.0.2.7, 10.0.0.0/8"
                        + " or fd00::/8")
            case .badLength:
                throw OptionSyntaxError(
                    "\(quoted(text)) has no length from 0 to 32 (IPv4) or 128 (IPv6) behind its slash: write for example"
                        + " 10.0.0.0/8")
            case .hostBitsSet(let suggestion):
                throw OptionSyntaxError(
                    "\(quoted(text)) has bits set beyond its length: write \(suggestion), or leave the length out for one"
                        + " address")
            }
        }
    }
}
