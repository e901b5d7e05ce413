/// How large a worker's ring is, and how much memory it registers: what the driver asks for and what `uproxy doctor` counts.
enum RingSizes {
    static let submissionEntries = 1024
    /// Slices registered for zero-copy sends, of the two classes that bodies travel in.
    static let registeredMediumSlices = 64
    static let registeredBulkSlices = 8

    static var registeredBytes: Int {
        registeredMediumSlices * SliceClass.medium.sliceSize + registeredBulkSlices * SliceClass.bulk.sliceSize
    }

    /// Enough completions for every connection to have something in flight, and for four per submission.
    static func completionEntries(connections: Int) -> Int {
        var entries = submissionEntries * 4
        while entries < connections && entries < 32_768 { entries *= 2 }
        return entries
    }
}
