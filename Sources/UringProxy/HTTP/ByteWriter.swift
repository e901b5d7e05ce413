internal import CBytes

/// Writes bytes one after the other into memory somebody else owns. What does not fit is not written at all and
/// leaves a flag, so that the caller asks once, at the end.
@safe struct ByteWriter {
    private let base: UnsafeMutablePointer<UInt8>
    /// How many bytes may be written; 0 once something did not fit, so that nothing is written any more.
    private var limit: Int
    private(set) var count = 0
    /// Something did not fit; what was written is not the whole.
    private(set) var overflowed = false

    /// - Parameter base: room for `capacity` bytes, which outlives the writer.
    @inline(__always)
    init(base: UnsafeMutablePointer<UInt8>, capacity: Int) {
        precondition(capacity >= 0)
        unsafe self.base = base
        limit = capacity
    }

    /// What has been written.
    var written: ByteView { unsafe ByteView(base: UnsafePointer(base), count: count) }

    @inline(__always)
    mutating func append(_ bytes: ByteView) {
        guard let place = unsafe reserve(bytes.count) else { return }
        if !bytes.isEmpty { unsafe cbytes_copy(place, bytes.pointer, bytes.count) }
    }

    @inline(__always)
    mutating func append(_ text: StaticString) {
        let size = text.utf8CodeUnitCount
        guard let place = unsafe reserve(size) else { return }
        // The size of a literal is a constant once inlined, so that this becomes a few stores.
        unsafe cbytes_copy(place, text.utf8Start, size)
    }

    @inline(__always)
    mutating func append(byte: UInt8) {
        guard let place = unsafe reserve(1) else { return }
        unsafe place.pointee = byte
    }

    /// Bytes that a peer chose, as part of a field: no control character of theirs ends the line or hides in it. HTAB and what is
    /// no ASCII stay (RFC 9110 §5.5).
    mutating func append(field bytes: ByteView) {
        guard let place = unsafe reserve(bytes.count) else { return }
        for index in 0..<bytes.count { unsafe place[index] = bytes[index].isControl ? 0x20 : bytes[index] }
    }

    /// Takes back what was written from `count` on.
    mutating func truncate(to count: Int) {
        precondition(count >= 0)
        self.count = min(self.count, count)
    }

    mutating func append(decimal value: UInt64) {
        var size = 1
        var rest = value / 10
        while rest > 0 {
            size &+= 1
            rest /= 10
        }
        guard let place = unsafe reserve(size) else { return }
        rest = value
        for index in stride(from: size &- 1, through: 0, by: -1) {
            unsafe place[index] = UInt8(truncatingIfNeeded: rest % 10) &+ UInt8(ascii: "0")
            rest /= 10
        }
    }

    /// In 16 digits of lower case.
    mutating func append(hexadecimal value: UInt64) {
        guard let place = unsafe reserve(16) else { return }
        for index in 0..<16 {
            let digit = UInt8(truncatingIfNeeded: value >> UInt64(60 - 4 * index)) & 15
            unsafe place[index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
        }
    }

    mutating func append(_ address: IPAddress) {
        var text = InlineArray<40, UInt8>(repeating: 0)
        unsafe withUnsafeMutableBytes(of: &text) { buffer in
            let base = unsafe buffer.baseAddress!.assumingMemoryBound(to: UInt8.self)
            let size = unsafe address.write(into: base, capacity: buffer.count)
            append(unsafe ByteView(base: base, count: size))
        }
    }

    @inline(__always) @unsafe
    private mutating func reserve(_ size: Int) -> UnsafeMutablePointer<UInt8>? {
        guard size <= limit &- count else {
            overflowed = true
            limit = 0
            return nil
        }
        let place = unsafe base + count
        count &+= size
        return unsafe place
    }
}
