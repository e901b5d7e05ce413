internal import CBytes

/// Sets of bytes a grammar rule is made of; the table is in `CBytes.h`.
enum ByteClass: UInt8, BitwiseCopyable {
    /// RFC 9110 §5.6.2
    case token = 1
    /// Of a request target, before "?".
    case path = 2
    /// Of a request target, from "?" on.
    case query = 4
    /// Of a host name or IPv4 address.
    case host = 8
}

extension ByteView {
    /// How many of the first bytes belong to `byteClass`.
    @inline(__always)
    func run(of byteClass: ByteClass) -> Int {
        count == 0 ? 0 : unsafe cbytes_run(pointer, count, byteClass.rawValue)
    }

    /// The same of `path`, faster.
    @inline(__always)
    var pathRun: Int { count == 0 ? 0 : unsafe cbytes_path_run(pointer, count) }

    /// How many bytes of `range` are of a host, from its first on.
    @inline(__always)
    func hostRun(in range: Range<Int>) -> Int {
        let size = self[range].count
        guard size > 0 else { return 0 }
        return unsafe cbytes_host_run(pointer + range.lowerBound, size, count &- range.lowerBound)
    }

    /// RFC 9110 §5.6.2
    @inline(__always)
    var isToken: Bool { count > 0 && run(of: .token) == count }
}
