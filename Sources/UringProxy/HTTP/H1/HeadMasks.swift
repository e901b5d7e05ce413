internal import CBytes

/// What 64 bytes of a head contain, a bit for each: the one definition of what parser and scanner take and refuse.
struct HeadMasks: BitwiseCopyable {
    let lineFeeds: UInt64
    let colons: UInt64
    /// Control bytes, LF without CR before it, and what follows a CR that is no LF.
    let refused: UInt64
    /// Whether the last byte is a CR, as bit 0, to be carried into the next block.
    let endsWithReturn: UInt64

    /// The masks of the `size` (1 to 64) bytes of `bytes` from `start` on. Nothing past the view is read.
    ///
    /// The last block of a view seldom has 64 bytes. Reading the 64 that end with it and shifting spares the copy to a
    /// scratch, whose wide loads then wait for narrow stores.
    ///
    /// - Parameter afterReturn: whether the byte before them is a CR, as bit 0.
    @inline(__always)
    init(_ bytes: ByteView, _ start: Int, _ size: Int, afterReturn: UInt64) {
        precondition(size > 0 && size <= 64 && start >= 0 && start &+ size <= bytes.count)
        let missing = 64 &- size
        var masks: cbytes_head_masks
        if missing > 0, start >= missing {
            masks = unsafe cbytes_scan_head(bytes.pointer + (start &- missing), 64)
            let shift = UInt64(truncatingIfNeeded: missing)
            masks.line_feeds &>>= shift
            masks.carriage_returns &>>= shift
            masks.colons &>>= shift
            masks.controls &>>= shift
        } else {
            masks = unsafe cbytes_scan_head(bytes.pointer + start, size)
        }
        let valid = UInt64.max &>> UInt64(truncatingIfNeeded: missing)
        lineFeeds = masks.line_feeds
        colons = masks.colons
        refused = (masks.line_feeds ^ (masks.carriage_returns << 1 | afterReturn)) & valid | masks.controls
        endsWithReturn = masks.carriage_returns >> 63
    }
}
