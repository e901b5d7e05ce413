/// Why the text of a socket address was refused; the payload is the text as given.
enum SocketAddressError: Error, Equatable {
    case empty
    case portMissing(String)
    case badPort(String)
    case badAddress(String)
    case bracketsMissing(String)
    case badScope(String)
    case badPath(String)

    var message: String {
        switch self {
        case .empty:
            "the address is empty; give HOST:PORT, for example 127.0.0.1:8080"
        case .portMissing(let text):
            "\"\(text)\" has no port; give HOST:PORT, for example 127.0.0.1:8080 or [::1]:8080"
        case .badPort(let text):
            "\"\(text)\" has no valid port; give a number from 0 to 65535 after the last colon"
        case .badAddress(let text):
            "\"\(text)\" is not a numeric address; give four decimal numbers, an IPv6 address in brackets, "
                + "localhost, or leave the host out for all interfaces"
        case .bracketsMissing(let text):
            "\"\(text)\" is ambiguous; put the IPv6 address in brackets, for example [::1]:8080"
        case .badScope(let text):
            "\"\(text)\" names no interface of this host, or the address is not link-local; "
                + "give for example [fe80::1%eth0]:8080"
        case .badPath(let text):
            "\"\(text)\" is no path of a Unix socket; give unix:/path or unix:@name of at most "
                + "\(SocketAddress.maximumPathSize) bytes"
        }
    }
}
