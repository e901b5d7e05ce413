/// Where an access log goes.
enum AccessLogDestination: Sendable, Equatable {
    case file(path: String)
    case standardOutput
    case standardError
    /// RFC 5424 in datagrams to a unix socket.
    case syslog(path: String)
    /// The same over UDP (RFC 5426).
    case remoteSyslog(SocketAddress)
    /// systemd's journal, by its own protocol.
    case journal

    init(parsing text: String) throws(OptionSyntaxError) {
        switch text {
        case "stdout": self = .standardOutput
        case "stderr": self = .standardError
        case "journald": self = .journal
        case "syslog":
            throw OptionSyntaxError(
                "'syslog' says not where it is: write syslog:/dev/log or syslog:udp:HOST:PORT")
        default:
            if text.hasPrefix("syslog:") {
                self = try Self.syslog(String(text.dropFirst(7)), of: text)
                return
            }
            guard !text.isEmpty, !text.hasSuffix("/"), !text.utf8.contains(0) else {
                throw OptionSyntaxError(
                    "\(quoted(text)) is no path of a file: write one, or stdout, stderr, syslog:/dev/log, syslog:udp:HOST:PORT or journald"
                )
            }
            self = .file(path: text)
        }
    }

    private static func syslog(_ place: String, of whole: String) throws(OptionSyntaxError) -> Self {
        if place.hasPrefix("/") {
            guard place.utf8.count <= SocketAddress.maximumPathSize else {
                throw OptionSyntaxError(
                    "the path of \(quoted(whole)) is longer than the \(SocketAddress.maximumPathSize) bytes a unix socket can have: use a shorter one"
                )
            }
            return .syslog(path: place)
        }
        guard place.hasPrefix("udp:") else {
            throw OptionSyntaxError(
                "\(quoted(whole)) is no syslog: write syslog:/dev/log or syslog:udp:HOST:PORT")
        }
        let text = String(place.dropFirst(4))
        guard case .host(let host, let port) = try AddressText(parsing: text), port > 0,
            AddressText.isIPv4(host[...]) || host.hasPrefix("["),
            let address = try? SocketAddress(parsing: text)
        else {
            throw OptionSyntaxError(
                "\(quoted(whole)) has no address: write one and its port, as in syslog:udp:192.0.2.1:514, for names are not asked for"
            )
        }
        return .remoteSyslog(address)
    }

    /// Each record is a message of its own there.
    var takesMessages: Bool {
        switch self {
        case .syslog, .remoteSyslog, .journal: true
        case .file, .standardOutput, .standardError: false
        }
    }

    var isFile: Bool { if case .file = self { true } else { false } }
}
