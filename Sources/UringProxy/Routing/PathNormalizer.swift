internal import CBytes

/// The one spelling of a path that rules are matched with (RFC 3986 §6.2.2).
///
/// Upstream reads `/public/%2e%2e/admin` as `/admin`, so that a rule for `/admin` must see it so. What is forwarded is
/// the target as received; this form serves matching alone:
///
/// - encoded bytes that need no encoding are decoded: the unreserved ones, and those that this proxy takes unencoded
///   though RFC 3986 has no place for them (`"^`{|}`): they delimit nothing, so both spellings name one thing;
/// - what stays encoded has its digits in upper case. `%2F` stays: to RFC 3986 it is no delimiter;
/// - dot segments are removed (§5.2.4), those at the root without leaving it;
/// - adjacent slashes are merged, as nginx does by default. Where it would matter which of the two is done first, the
///   path is refused.
///
/// What is not normalised here is what servers add to the RFC: `;parameters` and, in Tomcat, `/..;/`.
enum PathNormalizer {
    /// - Parameters:
    ///   - path: without its query. An empty one is `/` (RFC 9110 §4.2.3); one that does not begin with a slash (the `*`
    ///     of OPTIONS, the nothing of CONNECT) is no path and comes back as it is.
    ///   - buffer: has room for `capacity` bytes, at least as many as the path has, and for one.
    /// - Returns: `path` itself if it is normal already, else a view of `buffer`.
    @inline(__always)
    static func normalised(
        _ path: ByteView, into buffer: UnsafeMutablePointer<UInt8>, capacity: Int
    ) throws(PathProblem) -> ByteView {
        if !path.isEmpty {
            if path[0] != UInt8(ascii: "/") { return path }
            if unsafe cbytes_path_is_plain(path.pointer, path.count) != 0 { return path }
        }
        return try unsafe rewritten(path, buffer, capacity)
    }

    private static func rewritten(
        _ path: ByteView, _ buffer: UnsafeMutablePointer<UInt8>, _ capacity: Int
    ) throws(PathProblem) -> ByteView {
        precondition(capacity >= max(1, path.count), "normalising never makes a path longer")
        unsafe buffer[0] = UInt8(ascii: "/")
        var size = 1
        /// Where the segment that is being written began.
        var segment = 1
        var index = 1
        while index < path.count {
            var byte = path[index]
            index &+= 1
            if byte == UInt8(ascii: "/") {
                if try unsafe !closeSegment(buffer, &size, &segment) {
                    unsafe buffer[size] = byte
                    size &+= 1
                    segment = size
                }
                continue
            }
            if byte == UInt8(ascii: "%") {
                guard index &+ 1 < path.count, let high = path[index].hexValue,
                    let low = path[index &+ 1].hexValue
                else { throw .badEncoding }
                index &+= 2
                byte = high << 4 | low
                guard byte != 0 else { throw .nul }
                if !needsNoEncoding(byte) {
                    unsafe buffer[size] = UInt8(ascii: "%")
                    unsafe buffer[size &+ 1] = digit(high)
                    unsafe buffer[size &+ 2] = digit(low)
                    size &+= 3
                    continue
                }
            }
            unsafe buffer[size] = byte
            size &+= 1
        }
        _ = try unsafe closeSegment(buffer, &size, &segment)
        unsafe mergeSlashes(buffer, &size)
        let result = unsafe ByteView(base: UnsafePointer(buffer), count: size)
        return result.equals(path) ? path : result
    }

    /// Whether an encoded slash or backslash stands beside a dot segment, an empty one or another slash: to who decodes it
    /// before removing dot segments (nginx) `/public/..%2Fadmin` and `/%2Fadmin` are `/admin`, to RFC 3986 they are not.
    ///
    /// - Parameter path: in its normal form.
    static func hidesSegments(_ path: ByteView) -> Bool {
        var start = 0
        var beginsEncoded = false
        var index = 0
        while index <= path.count {
            let isEnd = index == path.count
            let isSlash = isEnd || path[index] == UInt8(ascii: "/")
            let isEncoded = !isSlash && isEncodedSlash(path, index)
            guard isSlash || isEncoded else {
                index &+= 1
                continue
            }
            let size = index &- start
            let isDots =
                size == 0 || size == 1 && path[start] == UInt8(ascii: ".")
                || size == 2 && path[start] == UInt8(ascii: ".") && path[start &+ 1] == UInt8(ascii: ".")
            if isDots && (beginsEncoded || isEncoded) { return true }
            beginsEncoded = isEncoded
            index &+= isEncoded ? 3 : 1
            start = index
        }
        return false
    }

    /// Whether a target that was made of parts leads elsewhere than it seems to: it has a dot segment, or begins with two slashes.
    static func leadsAstray(_ target: ByteView) -> Bool {
        var start = 1
        var index = 1
        while index <= target.count {
            let isEnd = index == target.count || target[index] == UInt8(ascii: "?")
            guard isEnd || target[index] == UInt8(ascii: "/") else {
                index &+= 1
                continue
            }
            let segment = target[start..<index]
            if segment.equals(".") || segment.equals("..") || segment.isEmpty && start == 1 && !isEnd {
                return true
            }
            if isEnd { return false }
            index &+= 1
            start = index
        }
        return false
    }

    @inline(__always)
    private static func isEncodedSlash(_ path: ByteView, _ index: Int) -> Bool {
        guard path[index] == UInt8(ascii: "%"), index &+ 2 < path.count else { return false }
        return path[index &+ 1] == UInt8(ascii: "2") && path[index &+ 2] == UInt8(ascii: "F")
            || path[index &+ 1] == UInt8(ascii: "5") && path[index &+ 2] == UInt8(ascii: "C")
    }

    /// Removes the segment that ends here if it is a dot segment, and with ".." the one before it; whether it was one.
    /// What is left then ends in a slash.
    @inline(__always)
    private static func closeSegment(
        _ buffer: UnsafeMutablePointer<UInt8>, _ size: inout Int, _ segment: inout Int
    ) throws(PathProblem) -> Bool {
        let count = size &- segment
        guard count == 1 || count == 2, unsafe buffer[segment] == UInt8(ascii: "."),
            unsafe buffer[size &- 1] == UInt8(ascii: ".")
        else { return false }
        if count == 2 && segment > 1 {
            var start = segment &- 1
            while unsafe buffer[start &- 1] != UInt8(ascii: "/") { start &-= 1 }
            guard start < segment &- 1 else { throw .ambiguous }
            segment = start
        }
        size = segment
        return true
    }

    private static func mergeSlashes(_ buffer: UnsafeMutablePointer<UInt8>, _ size: inout Int) {
        var merged = 1
        for index in 1..<max(1, size) {
            let byte = unsafe buffer[index]
            if byte == UInt8(ascii: "/"), unsafe buffer[merged &- 1] == byte { continue }
            unsafe buffer[merged] = byte
            merged &+= 1
        }
        size = merged
    }

    /// RFC 3986 §2.3, and `"^`{|}` (see above); one bit for each ASCII code.
    @inline(__always)
    private static func needsNoEncoding(_ byte: UInt8) -> Bool {
        let mask: UInt64 = byte < 64 ? 0x03FF_6004_0000_0000 : 0x7FFF_FFFF_C7FF_FFFE
        return byte < 128 && mask >> UInt64(byte & 63) & 1 == 1
    }

    @inline(__always)
    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 &+ value : 0x37 &+ value }
}
