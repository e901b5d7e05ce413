/// Why a rule of `--allow-destinations` or `--deny-destinations` was refused.
struct DestinationRuleError: Error, Equatable {
    enum Problem: Equatable {
        case empty
        case badPorts
        case badPrefixLength
        case hostBitsSet(suggestion: String)
        case addressLookalike
        case badName
    }

    /// The rule as it was given.
    let rule: String
    let problem: Problem

    var message: String {
        switch problem {
        case .empty:
            "an empty rule stands between two commas or at an end; remove the comma"
        case .badPorts:
            "\"\(rule)\": the ports after the last colon must be PORT or PORT-PORT, 1 to 65535, the lower first; "
                + "an IPv6 address with ports needs brackets, for example [2001:db8::/32]:443"
        case .badPrefixLength:
            "\"\(rule)\": the prefix length must be 0 to 32 for IPv4 and 0 to 128 for IPv6"
        case .hostBitsSet(let suggestion):
            "\"\(rule)\" has bits set beyond its prefix; write \(suggestion), or leave the length out for one address"
        case .addressLookalike:
            "\"\(rule)\" is neither a name nor an address in standard form; "
                + "write four decimal numbers without leading zeros, or an IPv6 address"
        case .badName:
            "\"\(rule)\" is no host name; write a name (example.org), .example.org for it and all below it, "
                + "*.example.org for all below it, * for any host; international names in their xn-- form"
        }
    }
}
