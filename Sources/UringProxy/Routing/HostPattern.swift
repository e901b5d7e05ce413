/// Which hosts a rule is for.
///
/// | Text | What it matches |
/// | --- | --- |
/// | `example.org`, `192.0.2.7`, `[2001:db8::7]` | this host |
/// | `*.example.org` | every name below it, by any number of labels; not itself |
/// | `~^(www\|api)[0-9]+\.example\.org$` | where the regular expression is found |
///
/// Letter case, the port and a final dot never matter.
struct HostPattern: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// In lower case, without a final dot; an address as RFC 5952 writes it, without brackets.
        case exact(String)
        /// What stands behind the `*.`, likewise.
        case below(String)
        case expression(RegularExpression)
    }

    let kind: Kind

    init(parsing text: String) throws(OptionSyntaxError) {
        if text.hasPrefix("~") {
            kind = .expression(try RegularExpression(String(text.dropFirst()), ignoringCase: true))
            return
        }
        guard !text.isEmpty else {
            throw OptionSyntaxError("a host is empty: leave the hosts out for any host")
        }
        if text.contains("://") { throw OptionSyntaxError("\(quoted(text)) is a URL: write its host alone") }
        if text == "*" { throw OptionSyntaxError("'*' would be any host: leave the hosts out for that") }
        if let address = try Self.address(text) {
            kind = .exact(address)
            return
        }
        if text.hasPrefix(".") {
            throw OptionSyntaxError(
                "\(quoted(text)) begins with a dot: write \(quoted("*" + text)) for all below it, and"
                    + " \(quoted(String(text.dropFirst()))) for itself")
        }
        if text.contains(":") {
            throw OptionSyntaxError(
                "\(quoted(text)) has a port: write the host alone, a rule holds for every port")
        }
        let isWildcard = text.hasPrefix("*.")
        let name = isWildcard ? text.dropFirst(2) : text[...]
        if name.contains("*") {
            throw OptionSyntaxError(
                "\(quoted(text)) has a * that is not its first label: write for example *.example.org, or a regular"
                    + " expression behind ~")
        }
        guard AddressText.isName(name) else {
            throw OptionSyntaxError(
                "\(quoted(text)) is no host: write a name (an international one as xn--…), *.NAME for all below it, an"
                    + " address, or a regular expression behind ~")
        }
        let normal = (name.hasSuffix(".") ? name.dropLast() : name).lowercased()
        kind = isWildcard ? .below(normal) : .exact(normal)
    }

    /// The address that the text spells, as it is looked up; nil if it spells none.
    private static func address(_ text: String) throws(OptionSyntaxError) -> String? {
        guard text.hasPrefix("[") else { return IPAddress(text)?.description }
        guard let end = text.lastIndex(of: "]"), text.contains(":"),
            let address = IPAddress(String(text[text.index(after: text.startIndex)..<end]))
        else {
            throw OptionSyntaxError(
                "\(quoted(text)) has no IPv6 address in its brackets: write for example [2001:db8::7]")
        }
        guard text.index(after: end) == text.endIndex else {
            throw OptionSyntaxError(
                "\(quoted(text)) has a port: write the host alone, a rule holds for every port")
        }
        return address.description
    }
}
