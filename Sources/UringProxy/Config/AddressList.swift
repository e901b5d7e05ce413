/// Addresses as options take them: `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`, and `unix:` for whoever comes over a unix
/// socket; several in one text, separated by commas.
enum AddressList {
    /// What the peer of a unix socket has for an address: none that a packet could come from.
    private static let unix = AddressPrefix(.unspecified, length: 128)

    static func parse(_ texts: [String]) throws(OptionSyntaxError) -> [AddressPrefix] {
        var prefixes: [AddressPrefix] = []
        for text in texts {
            for part in text.split(separator: ",", omittingEmptySubsequences: false) {
                prefixes.append(try prefix(part.drop { $0 == " " }))
            }
        }
        return prefixes
    }

    private static func prefix(_ text: Substring) throws(OptionSyntaxError) -> AddressPrefix {
        if text == "unix:" { return unix }
        do throws(AddressPrefix.SyntaxError) { return try AddressPrefix(parsing: text) } catch {
            let name = quoted(String(text))
            switch error {
            case .notAddress:
                throw OptionSyntaxError(
                    "\(name) is no address in standard form: write 192.0.2.7, 10.0.0.0/8, 2001:db8::/32 or unix:"
                )
            case .badLength:
                throw OptionSyntaxError(
                    "\(name) has no prefix length that fits: write 0 to 32 for IPv4, 0 to 128 for IPv6")
            case .hostBitsSet(let suggestion):
                throw OptionSyntaxError("\(name) has bits set beyond its prefix: write \(suggestion)")
            }
        }
    }
}
