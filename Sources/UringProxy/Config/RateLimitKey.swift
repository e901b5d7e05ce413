/// Whose requests are counted together.
public enum RateLimitKey: Sendable, Hashable {
    /// Those of one address.
    case address
    /// Those of a block of addresses, by the lengths of its prefixes.
    case prefix(ipv4: Int, ipv6: Int)
    /// Those with the same first field of this name, in lower case; without it they are not counted.
    case header(String)
    /// All at one place that names the limit: a route, a listener.
    case route
    /// All.
    case all

    static let standardPrefix = RateLimitKey.prefix(ipv4: 24, ipv6: 64)

    /// `address`, `prefix`, `prefix:V4/V6`, `header:NAME`, `route` or `all`.
    public init(parsing text: String) throws(OptionSyntaxError) {
        switch text {
        case "address": self = .address
        case "prefix": self = Self.standardPrefix
        case "route": self = .route
        case "all": self = .all
        case _ where text.hasPrefix("prefix:"):
            let lengths = text.dropFirst(7).split(separator: "/", omittingEmptySubsequences: false).map {
                Int($0)
            }
            guard lengths.count == 2, let ipv4 = lengths[0], let ipv6 = lengths[1], (1...32).contains(ipv4),
                (1...128).contains(ipv6)
            else {
                throw OptionSyntaxError(
                    "\(quoted(text)) has no lengths from 1 to 32 and from 1 to 128: write for example prefix:24/64"
                )
            }
            self = .prefix(ipv4: ipv4, ipv6: ipv6)
        case _ where text.hasPrefix("header:"):
            let name = text.dropFirst(7)
            guard HashKey.isToken(name), name.utf8.count <= 256 else {
                throw OptionSyntaxError("\(quoted(text)) names no header: write for example header:X-Api-Key")
            }
            self = .header(name.lowercased())
        default:
            throw OptionSyntaxError(
                "\(quoted(text)) is no key: write address, prefix, prefix:24/64, header:NAME, route or all")
        }
    }
}

extension RateLimitKey: CustomStringConvertible {
    public var description: String {
        switch self {
        case .address: "address"
        case .prefix(let ipv4, let ipv6): "prefix:\(ipv4)/\(ipv6)"
        case .header(let name): "header:\(name)"
        case .route: "route"
        case .all: "all"
        }
    }
}
