/// One rule of `--allow-destinations` or `--deny-destinations`, as parsed.
///
/// | Text | What it covers |
/// | --- | --- |
/// | `192.0.2.7`, `2001:db8::7`, `[2001:db8::7]` | one address |
/// | `10.0.0.0/8`, `fd00::/8`, `[fd00::/8]` | a block of addresses |
/// | `example.org` | this name alone |
/// | `*.example.org` | every name below it, not itself |
/// | `.example.org` | it and every name below it |
/// | `*` | any host |
///
/// Each may be followed by `:PORT` or `:PORT-PORT`; a bare `:443` is `*:443`. An IPv6 address with ports
/// needs the brackets: `2001:db8::1:443` is an address.
struct DestinationRule: Equatable, Sendable {
    enum Target: Equatable, Sendable {
        case any
        case addresses(AddressPrefix)
        /// In lower case, without dots at its ends.
        case name(String, includesItself: Bool, includesBelow: Bool)
    }

    let target: Target
    let ports: ClosedRange<UInt16>

    init(parsing text: Substring) throws(DestinationRuleError) {
        let rule = String(text)
        guard !text.isEmpty else { throw DestinationRuleError(rule: rule, problem: .empty) }
        let (host, portText) = DestinationRule.split(text)
        ports = try DestinationRule.ports(portText, rule: rule)
        target = try DestinationRule.target(host, rule: rule)
    }

    /// The host and, if there is a colon that is not part of an IPv6 address, what follows it.
    private static func split(_ text: Substring) -> (host: Substring, ports: Substring?) {
        if text.first == "[", let bracket = text.lastIndex(of: "]") {
            let after = text[text.index(after: bracket)...]
            // Something other than a colon behind the bracket makes the whole no host, and is refused as
            // such.
            guard after.isEmpty || after.first == ":" else { return (text, nil) }
            return (text[...bracket], after.isEmpty ? nil : after.dropFirst())
        }
        guard let first = text.firstIndex(of: ":") else { return (text, nil) }
        let last = text.lastIndex(of: ":")
        guard first == last else { return (text, nil) }
        return (text[..<first], text[text.index(after: first)...])
    }

    private static func ports(
        _ text: Substring?, rule: String
    ) throws(DestinationRuleError) -> ClosedRange<UInt16> {
        guard let text else { return 0...UInt16.max }
        let bounds = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = SocketAddress.port(bounds[0]),
            let last = SocketAddress.port(bounds[bounds.count - 1]),
            first > 0, first <= last
        else { throw DestinationRuleError(rule: rule, problem: .badPorts) }
        return first...last
    }

    private static func target(_ host: Substring, rule: String) throws(DestinationRuleError) -> Target {
        if host.isEmpty || host == "*" { return .any }
        if host.utf8.contains(UInt8(ascii: ":")) || host.utf8.contains(UInt8(ascii: "/")) || host.first == "["
        {
            return .addresses(try prefix(host, rule: rule))
        }
        if let address = IPAddress(String(host)) { return .addresses(AddressPrefix(address, length: 128)) }
        var name = host
        var includesItself = true
        var includesBelow = false
        if name.hasPrefix("*.") {
            name = name.dropFirst(2)
            includesItself = false
            includesBelow = true
        } else if name.hasPrefix(".") {
            name = name.dropFirst()
            includesBelow = true
        }
        var text = String(name)
        let normalised = text.withUTF8 {
            HostName.normalised(unsafe ByteView(UnsafeRawBufferPointer($0)))?.string.lowercased()
        }
        guard let normalised else {
            let hasDigit = host.utf8.contains { $0 >= 0x30 && $0 <= 0x39 }
            let isLookalike =
                hasDigit
                && host.utf8.allSatisfy {
                    $0.hexadecimalValue != nil || $0 == UInt8(ascii: ".")
                        || $0.asciiLowercased == UInt8(ascii: "x")
                }
            throw DestinationRuleError(rule: rule, problem: isLookalike ? .addressLookalike : .badName)
        }
        return .name(normalised, includesItself: includesItself, includesBelow: includesBelow)
    }

    private static func prefix(_ host: Substring, rule: String) throws(DestinationRuleError) -> AddressPrefix
    {
        do {
            return try AddressPrefix(parsing: host)
        } catch {
            let problem: DestinationRuleError.Problem
            switch error {
            case .notAddress:
                // `example.org:80:90` or `fe80::1%eth0`: the colon most likely began the ports.
                let isPortMistake = !host.utf8.contains(UInt8(ascii: "/")) && host.first != "["
                problem = isPortMistake ? .badPorts : .addressLookalike
            case .badLength: problem = .badPrefixLength
            case .hostBitsSet(let suggestion): problem = .hostBitsSet(suggestion: suggestion)
            }
            throw DestinationRuleError(rule: rule, problem: problem)
        }
    }
}
