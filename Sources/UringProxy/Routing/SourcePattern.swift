/// The addresses that a rule is for, as the configuration writes them.
enum SourcePattern {
    /// One address, or a block of them.
    static func parse(_ text: String) throws(OptionSyntaxError) -> AddressPrefix {
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
