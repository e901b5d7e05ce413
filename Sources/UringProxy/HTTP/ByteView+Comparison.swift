/// Comparison with literals. The literal's words are constants after inlining, so that a comparison is a load, an
/// "or" and a compare for each eight bytes; `memcmp` would be a call.
extension ByteView {
    /// Whether the bytes are exactly those of `text`.
    @inline(__always)
    func equals(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        return unsafe matches(text, folding: false)
    }

    /// Whether the bytes are those of `lowercase`, the case of letters aside. `lowercase` holds small letters,
    /// digits and hyphens alone: for these setting bit 5 is folding.
    @inline(__always)
    func equalsFolded(_ lowercase: StaticString) -> Bool {
        guard count == lowercase.utf8CodeUnitCount else { return false }
        return unsafe matches(lowercase, folding: true)
    }

    /// Whether the first bytes are exactly those of `text`.
    @inline(__always)
    func hasPrefix(_ text: StaticString) -> Bool {
        guard count >= text.utf8CodeUnitCount else { return false }
        return unsafe matches(text, folding: false)
    }

    /// Whether CR LF stands at `index` and behind it: one load.
    @inline(__always)
    func hasLineEnd(at index: Int) -> Bool { hasPair(0x0D, 0x0A, at: index) }

    /// Whether the two bytes stand at `index` and behind it: one load.
    @inline(__always)
    func hasPair(_ first: UInt8, _ second: UInt8, at index: Int) -> Bool {
        guard count > 0, UInt(bitPattern: index) < UInt(bitPattern: count &- 1) else { return false }
        let pair = unsafe UnsafeRawPointer(pointer).loadUnaligned(fromByteOffset: index, as: UInt16.self)
        return pair.littleEndian == UInt16(first) | UInt16(second) << 8
    }

    /// `count` is not below the size of `text`.
    @inline(__always) @unsafe
    private func matches(_ text: StaticString, folding: Bool) -> Bool {
        guard count > 0 else { return true }
        let ours = unsafe UnsafeRawPointer(pointer)
        let theirs = unsafe UnsafeRawPointer(text.utf8Start)
        let size = text.utf8CodeUnitCount
        // Both loads of a size that is no multiple of the word overlap; neither leaves the bytes.
        if size >= 8 {
            var offset = 0
            while offset &+ 8 <= size {
                if unsafe !Self.same(UInt64.self, ours + offset, theirs + offset, folding) { return false }
                offset &+= 8
            }
            return unsafe offset == size
                || Self.same(UInt64.self, ours + (size &- 8), theirs + (size &- 8), folding)
        }
        if size >= 4 {
            return unsafe Self.same(UInt32.self, ours, theirs, folding)
                && Self.same(UInt32.self, ours + (size &- 4), theirs + (size &- 4), folding)
        }
        if size >= 2 {
            return unsafe Self.same(UInt16.self, ours, theirs, folding)
                && Self.same(UInt16.self, ours + (size &- 2), theirs + (size &- 2), folding)
        }
        return unsafe Self.same(UInt8.self, ours, theirs, folding)
    }

    @inline(__always) @unsafe
    private static func same<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ type: Word.Type, _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ folding: Bool
    ) -> Bool {
        let ours = unsafe a.loadUnaligned(as: Word.self)
        let theirs = unsafe b.loadUnaligned(as: Word.self)
        guard folding else { return ours == theirs }
        let bit5 = Word.max / 0xFF &* 0x20
        let bit6 = Word.max / 0xFF &* 0x40
        // Setting bit 5 also maps control bytes to hyphens and digits: a byte with neither bit 5 nor 6 never matches.
        return ours | bit5 == theirs && (ours | ours << 1) & bit6 == bit6
    }
}

extension ByteView {
    /// Whether both hold the same bytes, the case of ASCII letters aside.
    func equalsIgnoringCase(_ other: ByteView) -> Bool {
        guard count == other.count else { return false }
        for index in 0..<count where self[index].asciiLowercased != other[index].asciiLowercased {
            return false
        }
        return true
    }

    func contains(_ byte: UInt8) -> Bool {
        for index in 0..<count where self[index] == byte { return true }
        return false
    }
}
