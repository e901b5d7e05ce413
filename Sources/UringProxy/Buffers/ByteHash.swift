/// The hash of a short text, for tables of names.
enum ByteHash {
    /// Seeded, so that nobody can choose texts that all fall into one bucket. Eight bytes at a time; the last step may
    /// overlap the one before, which loses nothing as the size is hashed too.
    ///
    /// - Parameter foldingCase: for host names. Of their bytes only letters differ by bit 5 alone, so that setting it is
    ///   folding.
    @inline(__always)
    static func hash(_ text: ByteView, seed: UInt64, foldingCase: Bool) -> UInt64 {
        let fold: UInt64 = foldingCase ? 0x2020_2020_2020_2020 : 0
        let size = text.count
        var hash = seed ^ UInt64(size)
        guard size >= 8 else { return mix(hash, shortWord(text) | fold) }
        var index = 0
        while index &+ 8 < size {
            hash = mix(hash, text.word(at: index) | fold)
            index &+= 8
        }
        return mix(hash, text.word(at: size &- 8) | fold)
    }

    /// Both halves of the product: no bit of either is lost.
    @inline(__always)
    static func mix(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        let product = (hash ^ word).multipliedFullWidth(by: 0xFF51_AFD7_ED55_8CCD)
        return product.high ^ product.low
    }

    /// All bytes of a text of less than eight.
    @inline(__always)
    private static func shortWord(_ text: ByteView) -> UInt64 {
        let size = text.count
        let bytes = unsafe UnsafeRawPointer(text.pointer)
        if size >= 4 {
            let first = unsafe bytes.loadUnaligned(as: UInt32.self)
            let last = unsafe bytes.loadUnaligned(fromByteOffset: size &- 4, as: UInt32.self)
            return UInt64(first) | UInt64(last) << 32
        }
        if size >= 2 {
            let first = unsafe bytes.loadUnaligned(as: UInt16.self)
            let last = unsafe bytes.loadUnaligned(fromByteOffset: size &- 2, as: UInt16.self)
            return UInt64(first) | UInt64(last) << 16
        }
        return size == 1 ? UInt64(text[0]) : 0
    }
}
