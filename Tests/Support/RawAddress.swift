internal import CPosix

/// `IPv4:PORT` or `unix:PATH`, as the listeners of the engine print themselves.
struct RawAddress {
    let family: Int32
    private let bytes: [UInt8]

    init(_ text: String) throws(RawError) {
        if text.hasPrefix("unix:") {
            family = AF_UNIX
            bytes = Self.header(AF_UNIX) + Array(text.utf8.dropFirst(5)) + [0]
            return
        }
        let parts = text.split(separator: ":")
        let digits = parts.first.map { $0.split(separator: ".").compactMap { UInt8($0) } } ?? []
        guard parts.count == 2, digits.count == 4, let port = UInt16(parts[1]) else { throw .address(text) }
        family = AF_INET
        bytes =
            Self.header(AF_INET) + [UInt8(port >> 8), UInt8(port & 0xFF)] + digits
            + [UInt8](repeating: 0, count: 8)
    }

    /// `sa_family_t`, in the machine's byte order.
    private static func header(_ family: Int32) -> [UInt8] { [UInt8(family), 0] }

    func withSockaddr<Result>(_ body: (UnsafeRawPointer, UInt32) -> Result) -> Result {
        unsafe bytes.withUnsafeBytes { unsafe body($0.baseAddress!, UInt32($0.count)) }
    }
}
