/// Records as they are to be written, one behind the other, until their destination has taken them.
struct AccessLogBatch {
    /// From here on no more records are added before some have been written.
    static var fullSize: Int { 128 << 10 }

    var bytes: [UInt8] = []
    /// Behind each record.
    private(set) var ends: [Int] = []
    /// Of them, how many have been taken.
    private(set) var takenRecords = 0
    /// Of the bytes; within a record where the destination took a part of it.
    private(set) var takenBytes = 0

    var isEmpty: Bool { takenRecords == ends.count }
    var isFull: Bool { bytes.count >= Self.fullSize }
    var recordCount: Int { ends.count - takenRecords }

    /// What was added to `bytes` since the last end is a record.
    mutating func endRecord() { ends.append(bytes.count) }

    /// The next record, for destinations that take them one by one.
    var nextRecord: Range<Int> { takenBytes..<ends[takenRecords] }

    /// The destination has taken more bytes.
    ///
    /// - Returns: how many records are through.
    mutating func took(_ size: Int) -> Int {
        takenBytes += size
        let before = takenRecords
        while takenRecords < ends.count && ends[takenRecords] <= takenBytes { takenRecords += 1 }
        defer { if isEmpty { clear() } }
        return takenRecords - before
    }

    /// No part of a record has been taken whose rest has not.
    var isAtRecord: Bool { takenBytes == (takenRecords == 0 ? 0 : ends[takenRecords - 1]) }

    /// Puts something in front of the next record, as a part of it.
    mutating func insert(_ prefix: [UInt8]) {
        assert(isAtRecord && !isEmpty)
        bytes.insert(contentsOf: prefix, at: takenBytes)
        for index in takenRecords..<ends.count { ends[index] += prefix.count }
    }

    /// The record that was begun is written anew: its first part has gone where the rest will not go.
    mutating func restartRecord() { takenBytes = takenRecords == 0 ? 0 : ends[takenRecords - 1] }

    /// Nothing of it is to be written.
    mutating func clear() {
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        (takenRecords, takenBytes) = (0, 0)
    }

    /// How much may be written at once: all; or no more than `limit`, and then no part of a record that would fit whole.
    func piece(limit: Int) -> Range<Int> {
        if bytes.count - takenBytes <= limit { return takenBytes..<bytes.count }
        var end = takenBytes
        for place in ends[takenRecords...] {
            if place - takenBytes > limit { break }
            end = place
        }
        return takenBytes..<(end > takenBytes ? end : takenBytes + limit)
    }
}
