internal import CBytes

/// The texts of a record while they are gathered: each a byte that says which (`AccessText`), a byte that is 1 if it was shortened, its
/// size in two bytes (little-endian), and its bytes. The last one is followed by zeros, up to a multiple of 8.
@safe struct AccessTextWriter {
    private let base: UnsafeMutablePointer<UInt8>
    private let capacity: Int
    private(set) var count: Int
    /// Something was shortened or left out.
    private(set) var isTruncated = false

    static var headerSize: Int { 4 }

    /// - Parameters:
    ///   - base: room for `capacity` bytes, a multiple of 8.
    ///   - count: of bytes that are there already.
    @inline(__always)
    init(base: UnsafeMutablePointer<UInt8>, capacity: Int, count: Int = 0) {
        assert(capacity % 8 == 0)
        unsafe self.base = base
        self.capacity = capacity
        self.count = count
    }

    /// - Parameters:
    ///   - name: what stands before the text, and a colon between them; empty: nothing.
    ///   - limit: of bytes that are kept of it.
    @inline(__always)
    mutating func append(_ kind: AccessText, name: ByteView = .empty, _ text: ByteView, limit: Int = .max) {
        let prefix = name.isEmpty ? 0 : name.count &+ 1
        let room = capacity &- count &- Self.headerSize &- prefix
        guard room >= 0 else {
            isTruncated = true
            return
        }
        let size = min(text.count, room, limit)
        if size < text.count { isTruncated = true }
        let place = unsafe base + count
        unsafe place[0] = kind.rawValue
        unsafe place[1] = size < text.count ? 1 : 0
        let whole = UInt16(truncatingIfNeeded: prefix &+ size)
        unsafe place[2] = UInt8(truncatingIfNeeded: whole)
        unsafe place[3] = UInt8(truncatingIfNeeded: whole >> 8)
        var end = unsafe place + Self.headerSize
        if prefix > 0 {
            unsafe cbytes_copy(end, name.pointer, name.count)
            unsafe end[name.count] = UInt8(ascii: ":")
            unsafe end += prefix
        }
        if size > 0 { unsafe cbytes_copy(end, text.pointer, size) }
        count &+= Self.headerSize &+ prefix &+ size
    }

    /// Fills up to a multiple of 8.
    @inline(__always)
    mutating func pad() {
        while count & 7 != 0 {
            unsafe base[count] = 0
            count &+= 1
        }
    }
}

/// The texts of a record, one after the other.
struct AccessTextReader: BitwiseCopyable {
    private var rest: ByteView

    /// - Parameter texts: what stands behind the fixed part of a record.
    init(_ texts: ByteView) { rest = texts }

    /// The next one; nil behind the last, or where the bytes are not those of texts.
    mutating func next() -> (kind: UInt8, isShortened: Bool, text: ByteView)? {
        guard rest.count >= AccessTextWriter.headerSize, rest[0] != 0 else { return nil }
        let size = Int(rest[2]) | Int(rest[3]) << 8
        let end = AccessTextWriter.headerSize + size
        guard end <= rest.count else { return nil }
        let found = (rest[0], rest[1] != 0, rest[AccessTextWriter.headerSize..<end])
        rest = rest.dropFirst(end)
        return found
    }
}

/// A record with its texts, wherever they stand.
struct AccessRecordView: BitwiseCopyable {
    let record: AccessRecord
    let texts: ByteView

    /// - Parameter bytes: begin with a record.
    /// - Returns: nil if they are not those of a whole one of this schema.
    init?(_ bytes: ByteView) {
        let fixed = MemoryLayout<AccessRecord>.size
        guard bytes.count >= fixed else { return nil }
        record = unsafe UnsafeRawPointer(bytes.pointer).loadUnaligned(as: AccessRecord.self)
        guard record.schema == AccessRecord.schema, Int(record.size) >= fixed, record.size % 8 == 0,
            Int(record.size) <= bytes.count
        else { return nil }
        texts = bytes[fixed..<Int(record.size)]
    }

    /// The first of its kind; empty if there is none.
    subscript(kind: AccessText) -> ByteView {
        var reader = AccessTextReader(texts)
        while let text = reader.next() {
            if text.kind == kind.rawValue { return text.text }
        }
        return .empty
    }
}
