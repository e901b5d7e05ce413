/// How large a worker's ring is, and how much memory it registers: what the driver asks for, and what `uproxy doctor`
/// counts.
enum RingSizes {
    static let submissionEntries = 1024
    /// Slices registered for zero-copy sends, of the two classes that bodies travel in: together just below 1 MiB, of which
    /// the usual RLIMIT_MEMLOCK of 8 MiB has room for several workers beside their rings.
    static let registeredMediumSlices = 15
    static let registeredBulkSlices = 2

    static var registeredBytes: Int {
        registeredMediumSlices * SliceClass.medium.sliceSize + registeredBulkSlices
            * SliceClass.bulk.sliceSize
    }

    /// Enough completions for every connection to have something in flight, and for four per submission.
    static func completionEntries(connections: Int) -> Int {
        var entries = submissionEntries * 4
        while entries < connections && entries < 32_768 { entries *= 2 }
        return entries
    }
}
