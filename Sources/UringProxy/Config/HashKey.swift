/// What of a request decides to which endpoint it goes.
public enum HashKey: Sendable, Hashable {
    /// The path of the request target, without its query.
    case uri
    /// The address of downstream.
    case source
    /// The first field of this name, in lower case.
    case header(String)
    /// The first cookie of this name; names of cookies are told apart by case (RFC 6265 §4.1).
    case cookie(String)

    /// `uri`, `source`, `header:NAME` or `cookie:NAME`.
    public init(parsing text: String) throws(OptionSyntaxError) {
        switch text {
        case "uri": self = .uri
        case "source": self = .source
        default:
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0] == "header" || parts[0] == "cookie" else {
                throw OptionSyntaxError(
                    "\(quoted(text)) is no key: write uri, source, header:NAME or cookie:NAME")
            }
            guard Self.isToken(parts[1]), parts[1].utf8.count <= 256 else {
                throw OptionSyntaxError(
                    "\(quoted(text)) names no \(parts[0]): write for example header:X-User or cookie:session")
            }
            self = parts[0] == "header" ? .header(parts[1].lowercased()) : .cookie(String(parts[1]))
        }
    }

    /// RFC 9110 §5.6.2.
    static func isToken(_ text: Substring) -> Bool {
        let symbols = Set("!#$%&'*+-.^_`|~".utf8)
        return !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || symbols.contains(byte)
            }
    }
}

extension HashKey: CustomStringConvertible {
    public var description: String {
        switch self {
        case .uri: "uri"
        case .source: "source"
        case .header(let name): "header:\(name)"
        case .cookie(let name): "cookie:\(name)"
        }
    }
}
