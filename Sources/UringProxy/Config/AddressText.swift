/// An address as the configuration writes it, looked at closely enough to say what is wrong with it.
enum AddressText: Equatable {
    case host(String, port: UInt16)
    case unix(path: String)
    /// A socket that the service manager passes on, by its name (`FileDescriptorName=` in a socket unit).
    case inherited(name: String)

    /// `sun_path` holds 108 bytes, the last of them 0.
    static let unixPathLimitBytes = 107

    /// `HOST:PORT`, `[IPV6]:PORT`, `unix:PATH` or `fd:NAME`.
    init(parsing text: String) throws(OptionSyntaxError) {
        if text.hasPrefix("fd:") {
            let name = String(text.dropFirst(3))
            // A colon separates the names in LISTEN_FDNAMES.
            guard !name.isEmpty, name.utf8.count <= 255,
                name.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != 58 })
            else {
                throw OptionSyntaxError(
                    "\(quoted(text)) names no socket: write fd: and what FileDescriptorName= says in the socket unit"
                )
            }
            self = .inherited(name: name)
            return
        }
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            guard !path.isEmpty else {
                throw OptionSyntaxError("\(quoted(text)) has no path: write unix:/run/app.sock")
            }
            guard path.utf8.count <= Self.unixPathLimitBytes else {
                throw OptionSyntaxError(
                    "the path of \(quoted(text)) is longer than the \(Self.unixPathLimitBytes) bytes a unix socket"
                        + " can have: use a shorter one")
            }
            self = .unix(path: path)
            return
        }
        if text.contains("://") {
            throw OptionSyntaxError("\(quoted(text)) is a URL: write HOST:PORT alone")
        }
        if text.hasPrefix("[") && text.hasSuffix("]") {
            throw OptionSyntaxError(
                "\(quoted(text)) has no port after its brackets: write for example \(text):8080")
        }
        guard let colon = text.lastIndex(of: ":") else {
            if text.allSatisfy(\.isNumber), !text.isEmpty {
                throw OptionSyntaxError(
                    "\(quoted(text)) is a port alone: write 127.0.0.1:\(text) or [::]:\(text)")
            }
            throw OptionSyntaxError("\(quoted(text)) has no port: write HOST:PORT, [IPV6]:PORT or unix:PATH")
        }
        let port = try Self.port(text[text.index(after: colon)...], of: text)
        self = .host(try Self.host(text[..<colon], of: text), port: port)
    }

    private static func port(_ text: Substring, of whole: String) throws(OptionSyntaxError) -> UInt16 {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let port = UInt16(text)
        else {
            throw OptionSyntaxError("\(quoted(whole)) has no port from 0 to 65535 after its last colon")
        }
        return port
    }

    private static func host(_ text: Substring, of whole: String) throws(OptionSyntaxError) -> String {
        if text.hasPrefix("[") {
            guard text.hasSuffix("]"), isIPv6(text.dropFirst().dropLast()) else {
                throw OptionSyntaxError(
                    "\(quoted(whole)) has no IPv6 address in its brackets: write for example [::1]:8080")
            }
            return String(text)
        }
        if text.isEmpty {
            throw OptionSyntaxError(
                "\(quoted(whole)) has no host: write 0.0.0.0\(whole) or [::]\(whole) for all addresses")
        }
        if text.contains(":") {
            throw OptionSyntaxError(
                "\(quoted(whole)) is ambiguous: an IPv6 address goes into brackets, as in [::1]:8080")
        }
        guard isName(text) else {
            throw OptionSyntaxError("\(quoted(whole)) has a host that is neither a name nor an address")
        }
        return String(text)
    }

    /// Letters, digits, hyphen, underscore and dot: what names in DNS and in container networks are made of.
    static func isName(_ text: Substring) -> Bool {
        guard !text.isEmpty, text.utf8.count <= 253 else { return false }
        for label in text.split(separator: ".", omittingEmptySubsequences: false).dropLast(
            text.hasSuffix(".") ? 1 : 0)
        {
            guard (1...63).contains(label.utf8.count) else { return false }
        }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."):
                true
            default: false
            }
        }
    }

    static func isIPv4(_ text: Substring) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                (1...3).contains(part.utf8.count) && part.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
                    && UInt8(part) != nil && (part.utf8.count == 1 || !part.hasPrefix("0"))
            }
    }

    /// The shape of RFC 4291 §2.2, and a zone after `%`.
    static func isIPv6(_ text: Substring) -> Bool {
        let address = text.prefix { $0 != "%" }
        if address.endIndex != text.endIndex, text[address.endIndex...].utf8.count < 2 { return false }
        var groups = 0
        var gaps = 0
        let halves = address.split(separator: "::", omittingEmptySubsequences: false)
        gaps = halves.count - 1
        guard gaps <= 1 else { return false }
        for (index, half) in halves.enumerated() where !half.isEmpty {
            let parts = half.split(separator: ":", omittingEmptySubsequences: false)
            for (place, part) in parts.enumerated() {
                if index == halves.count - 1, place == parts.count - 1, isIPv4(part) {
                    groups += 2
                } else {
                    guard (1...4).contains(part.utf8.count), part.allSatisfy(\.isHexDigit) else {
                        return false
                    }
                    groups += 1
                }
            }
        }
        return gaps == 0 ? groups == 8 : groups < 8
    }

    /// For a listener: names are not looked up, and what is bound stands in the configuration.
    func checkListenable(_ text: String) throws(OptionSyntaxError) {
        guard case .host(let host, let port) = self, !host.hasPrefix("["), !Self.isIPv4(host[...]) else {
            return
        }
        if host == "localhost" {
            throw OptionSyntaxError("\(quoted(text)) names a host: write 127.0.0.1:\(port) or [::1]:\(port)")
        }
        if host == "*" {
            throw OptionSyntaxError("\(quoted(text)) is no address: write 0.0.0.0:\(port) or [::]:\(port)")
        }
        throw OptionSyntaxError(
            "\(quoted(text)) names a host: a listener takes an address of this machine, 0.0.0.0:\(port) or [::]:\(port)"
        )
    }

    /// For an endpoint: it has to be something that can be connected to.
    func checkConnectable(_ text: String) throws(OptionSyntaxError) {
        switch self {
        case .host(_, port: 0):
            throw OptionSyntaxError("\(quoted(text)) has port 0: give the port the endpoint listens on")
        case .inherited:
            throw OptionSyntaxError("\(quoted(text)) is a socket to listen on: write HOST:PORT or unix:PATH")
        case .host, .unix: break
        }
    }

    /// Whether binding both would leave it open which of them a connection reaches.
    func conflicts(with other: AddressText) -> Bool {
        switch (self, other) {
        case (.unix(let a), .unix(let b)), (.inherited(let a), .inherited(let b)):
            return a == b
        case (.host(let a, let portA), .host(let b, let portB)):
            guard portA == portB, portA != 0 else { return false }
            let wildcards = ["0.0.0.0", "[::]"]
            if a.lowercased() == b.lowercased() { return true }
            let sameFamily = a.hasPrefix("[") == b.hasPrefix("[")
            return sameFamily && (wildcards.contains(a) || wildcards.contains(b))
        case (.unix, _), (.host, _), (.inherited, _):
            return false
        }
    }
}
