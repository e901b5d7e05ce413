internal import CPosix

/// Where a socket is bound or connected: an IPv4 or IPv6 address with its port, or the path of a Unix socket.
///
/// Kept as the kernel's own `sockaddr`, inline and trivial: a slot that holds one can lend its address to a
/// connect that is under way, and nothing is converted when it starts. A thing that needs only the IP address
/// keeps an `IPAddress`, which is seven times smaller.
@safe struct SocketAddress: BitwiseCopyable, Equatable, Sendable, CustomStringConvertible {
    /// The longest path of a Unix socket: `sun_path` has 108 bytes, the last of which stays zero.
    static let maximumPathSize = 107
    /// Bytes before the path in a `sockaddr_un`.
    private static let pathOffset = 2

    // Where the fields stand: sockaddr_in and sockaddr_in6 (netinet/in.h), sockaddr_un (sys/un.h). The C
    // structs themselves come from whichever module imported them first and are not trivial to Swift.
    private static let portOffset = 2
    private static let ipv4Offset = 4
    private static let ipv6Offset = 8
    private static let scopeOffset = 24
    private static let ipv4Size = 16
    private static let ipv6Size = 28
    private static let unixSize = 110

    /// A `sockaddr_in` (16 bytes), `sockaddr_in6` (28) or `sockaddr_un` (up to 110), the rest zero. Words, so
    /// that it is aligned as `sockaddr_storage` is.
    private var storage = InlineArray<14, UInt64>(repeating: 0)
    /// How many bytes of it are the address.
    let size: UInt32

    private init(family: Int32, size: Int) {
        self.size = UInt32(size)
        store(UInt16(family), at: 0)
    }

    /// - Parameter scope: the index of the interface a link-local IPv6 address is meant on; 0 for none.
    init(_ address: IPAddress, port: UInt16, scope: UInt32 = 0) {
        if address.isIPv4 {
            self.init(family: AF_INET, size: SocketAddress.ipv4Size)
            store(address.ipv4.bigEndian, at: SocketAddress.ipv4Offset)
        } else {
            self.init(family: AF_INET6, size: SocketAddress.ipv6Size)
            store(address.high.bigEndian, at: SocketAddress.ipv6Offset)
            store(address.low.bigEndian, at: SocketAddress.ipv6Offset + 8)
            store(scope, at: SocketAddress.scopeOffset)
        }
        store(port.bigEndian, at: SocketAddress.portOffset)
    }

    /// A Unix socket. A leading `@` names an abstract one (unix(7)): no file, gone with its last descriptor.
    ///
    /// - Parameter path: 1 to 107 bytes without NUL; nil is the answer otherwise.
    init?(unixPath path: ByteView) {
        guard path.count > 0 && path.count <= SocketAddress.maximumPathSize else { return nil }
        for index in 0..<path.count where path[index] == 0 { return nil }
        let isAbstract = path[0] == UInt8(ascii: "@")
        guard !isAbstract || path.count > 1 else { return nil }
        // A path counts with its NUL; an abstract name is exactly as long as the size says.
        self.init(family: AF_UNIX, size: SocketAddress.pathOffset + path.count + (isAbstract ? 0 : 1))
        for index in 0..<path.count { store(path[index], at: SocketAddress.pathOffset + index) }
        if isAbstract { store(UInt8(0), at: SocketAddress.pathOffset) }
    }

    /// What the kernel wrote for getsockname, getpeername or accept; nil for a family that is none of the
    /// three, and for the nameless address of an unbound Unix socket.
    init?(fromSockaddr pointer: UnsafeRawPointer, size: Int) {
        guard size > SocketAddress.pathOffset && size <= 112 else { return nil }
        let family = unsafe Int32(pointer.loadUnaligned(as: UInt16.self))
        let limits: ClosedRange<Int>
        switch family {
        case AF_INET: limits = SocketAddress.ipv4Size...SocketAddress.ipv4Size
        case AF_INET6: limits = SocketAddress.ipv6Size...SocketAddress.ipv6Size
        case AF_UNIX: limits = SocketAddress.pathOffset + 1...SocketAddress.unixSize
        default: return nil
        }
        guard size >= limits.lowerBound else { return nil }
        var raw = SocketAddress(family: family, size: min(size, limits.upperBound))
        unsafe withUnsafeMutableBytes(of: &raw.storage) { bytes in
            unsafe cposix_copy(bytes.baseAddress!, pointer, Int(raw.size))
        }
        // By way of the value: a mapped address (a peer over IPv4 of a dual-stack listener) becomes the IPv4
        // address it is, and what else the kernel wrote (flow label, padding) takes no part in comparisons.
        self = raw.address.map { SocketAddress($0, port: raw.port, scope: raw.scope) } ?? raw
    }

    @inline(__always)
    var family: Int32 { Int32(load(UInt16.self, at: 0)) }
    var isIP: Bool { family == AF_INET || family == AF_INET6 }
    var isUnix: Bool { family == AF_UNIX }

    /// The IP address; nil for a Unix socket.
    var address: IPAddress? {
        switch family {
        case AF_INET:
            return IPAddress(ipv4: UInt32(bigEndian: load(UInt32.self, at: SocketAddress.ipv4Offset)))
        case AF_INET6:
            return IPAddress(
                high: UInt64(bigEndian: load(UInt64.self, at: SocketAddress.ipv6Offset)),
                low: UInt64(bigEndian: load(UInt64.self, at: SocketAddress.ipv6Offset + 8)))
        default:
            return nil
        }
    }

    /// The port; 0 for a Unix socket.
    var port: UInt16 { isIP ? UInt16(bigEndian: load(UInt16.self, at: SocketAddress.portOffset)) : 0 }

    /// The interface of a link-local IPv6 address; 0 for none.
    var scope: UInt32 { family == AF_INET6 ? load(UInt32.self, at: SocketAddress.scopeOffset) : 0 }

    /// The same address with another port; a Unix socket stays as it is.
    func withPort(_ port: UInt16) -> SocketAddress {
        guard let address else { return self }
        return SocketAddress(address, port: port, scope: scope)
    }

    /// Lends the `sockaddr` and its size for one call of the kernel.
    @inline(__always)
    func withSockaddr<Result>(_ body: (UnsafeRawPointer, UInt32) -> Result) -> Result {
        unsafe withUnsafeBytes(of: storage) { bytes in
            unsafe body(bytes.baseAddress!, size)
        }
    }

    /// Copies the `sockaddr` to where an operation may refer to it until it completes.
    ///
    /// - Parameter destination: room for `size` bytes, at most 110.
    func copy(to destination: UnsafeMutableRawPointer) {
        unsafe withSockaddr { pointer, size in unsafe cposix_copy(destination, pointer, Int(size)) }
    }

    static func == (a: SocketAddress, b: SocketAddress) -> Bool {
        guard a.size == b.size else { return false }
        // What lies beyond the size is zero in both.
        for index in 0..<14 where a.storage[index] != b.storage[index] { return false }
        return true
    }

    // MARK: Text

    /// Reads `127.0.0.1:80`, `[::1]:80`, `[fe80::1%2]:80`, `[fe80::1%eth0]:80`, `localhost:80` (127.0.0.1),
    /// `:80`, `*:80`, `unix:/path` or `unix:@name`. Names other than `localhost` are not resolved.
    ///
    /// `:80` is `[::]:80`: a listener there takes both families (`IPV6_V6ONLY` off).
    init(parsing text: String) throws(SocketAddressError) {
        if text.hasPrefix("unix:") {
            var path = String(text.dropFirst(5))
            let address = path.withUTF8 {
                SocketAddress(unixPath: unsafe ByteView(UnsafeRawBufferPointer($0)))
            }
            guard let address else { throw .badPath(text) }
            self = address
            return
        }
        guard !text.isEmpty else { throw .empty }
        guard let colon = text.lastIndex(of: ":") else { throw .portMissing(text) }
        let host = text[..<colon]
        guard let port = SocketAddress.port(text[text.index(after: colon)...]) else {
            // `::1` and `[::1]`: the last colon belongs to the address.
            let isWholeAddress = text.hasSuffix("]") || IPAddress(text) != nil
            throw isWholeAddress ? .portMissing(text) : .badPort(text)
        }
        switch host {
        case "", "*":
            self.init(.unspecified, port: port)
        case "localhost":
            self.init(.loopback4, port: port)
        default:
            guard host.hasPrefix("[") else {
                if host.utf8.contains(UInt8(ascii: ":")) { throw .bracketsMissing(text) }
                guard let address = IPAddress(String(host)) else { throw .badAddress(text) }
                self.init(address, port: port)
                return
            }
            guard host.hasSuffix("]") && host.count > 2 else { throw .badAddress(text) }
            let inner = host.dropFirst().dropLast()
            let parts = inner.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
            guard inner.utf8.contains(UInt8(ascii: ":")), let address = IPAddress(String(parts[0])) else {
                throw .badAddress(text)
            }
            guard parts.count == 2 else {
                self.init(address, port: port)
                return
            }
            // RFC 4007 §11.2: a zone stands with an address of limited scope alone.
            guard address.hasPrefix(IPAddress(high: 0xFE80 << 48, low: 0), length: 10) else {
                throw .badScope(text)
            }
            guard let scope = SocketAddress.scope(String(parts[1])) else { throw .badScope(text) }
            self.init(address, port: port, scope: scope)
        }
    }

    /// `127.0.0.1:80`, `[::1]:80`, `[fe80::1%2]:80`, `unix:/path`, `unix:@name`.
    var description: String {
        if let address {
            if address.isIPv4 { return "\(address.description):\(port)" }
            return scope == 0
                ? "[\(address.description)]:\(port)" : "[\(address.description)%\(scope)]:\(port)"
        }
        let path = unsafe withUnsafeBytes(of: storage) { bytes in
            let path = unsafe UnsafeRawBufferPointer(rebasing: bytes[SocketAddress.pathOffset..<Int(size)])
            let isAbstract = unsafe path.count > 0 && path[0] == 0
            let end = unsafe isAbstract ? path.count : path.firstIndex(of: 0) ?? path.count
            let name = unsafe ByteView(UnsafeRawBufferPointer(rebasing: path[(isAbstract ? 1 : 0)..<end]))
            return (isAbstract ? "@" : "") + name.string
        }
        return "unix:" + path
    }

    // MARK: Helpers

    private mutating func store<Value: BitwiseCopyable>(_ value: Value, at offset: Int) {
        unsafe withUnsafeMutableBytes(of: &storage) {
            unsafe $0.storeBytes(of: value, toByteOffset: offset, as: Value.self)
        }
    }

    @inline(__always)
    private func load<Value: BitwiseCopyable>(_ type: Value.Type, at offset: Int) -> Value {
        unsafe withUnsafeBytes(of: storage) {
            unsafe $0.loadUnaligned(fromByteOffset: offset, as: Value.self)
        }
    }

    /// A decimal port of digits alone: no sign, no blank.
    static func port(_ text: Substring) -> UInt16? {
        guard text.utf8.count <= 5 && text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return UInt16(text)
    }

    /// An interface by number or by name.
    private static func scope(_ text: String) -> UInt32? {
        if let number = UInt32(text) { return number == 0 ? nil : number }
        let index = unsafe text.withCString { unsafe cposix_interface_index($0) }
        return index == 0 ? nil : index
    }
}
