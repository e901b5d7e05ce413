internal import CBytes

/// What 64 bytes of a head contain, a bit for each: what parser and scanner take and refuse begins here.
struct HeadMasks: BitwiseCopyable {
    /// All but HTAB. A head has no other use for one than CR LF at the end of a line.
    let controls: UInt64
    let colons: UInt64

    /// The masks of the `size` (1 to 64) bytes of `bytes` from `start` on. Nothing past the view is read.
    ///
    /// The last block of a view seldom has 64 bytes. Reading the 64 that end with it and shifting spares the copy to a
    /// scratch, whose wide loads then wait for narrow stores.
    @inline(__always)
    init(_ bytes: ByteView, _ start: Int, _ size: Int) {
        precondition(size > 0 && size <= 64 && start >= 0 && start &+ size <= bytes.count)
        let missing = 64 &- size
        if missing > 0, start >= missing {
            let masks = unsafe cbytes_scan_head(bytes.pointer + (start &- missing), 64)
            let shift = UInt64(truncatingIfNeeded: missing)
            controls = masks.controls &>> shift
            colons = masks.colons &>> shift
        } else {
            let masks = unsafe cbytes_scan_head(bytes.pointer + start, size)
            controls = masks.controls
            colons = masks.colons
        }
    }
}
