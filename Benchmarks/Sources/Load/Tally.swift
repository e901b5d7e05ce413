/// What a run counts.
struct Tally {
    /// Counts of which a window takes the difference.
    struct Counts {
        /// Requests answered as expected.
        var requests = 0
        var bytesIn = 0
        var bytesOut = 0

        static func - (a: Counts, b: Counts) -> Counts {
            Counts(
                requests: a.requests - b.requests, bytesIn: a.bytesIn - b.bytesIn,
                bytesOut: a.bytesOut - b.bytesOut)
        }
    }

    var counts = Counts()
    /// Counted from the beginning: connections that are kept are made before any window.
    var connectionsOpened = 0
    private var failures = Array(repeating: 0, count: Failure.allCases.count)
    /// Of the first failure of its kind: the status, length or errno that was found.
    private var firstDetails: [Int?] = Array(repeating: nil, count: Failure.allCases.count)

    mutating func count(_ failure: Failure, times: Int = 1, detail: Int? = nil) {
        failures[failure.rawValue] += times
        if firstDetails[failure.rawValue] == nil { firstDetails[failure.rawValue] = detail }
    }

    subscript(failure: Failure) -> Int { failures[failure.rawValue] }
    func firstDetail(_ failure: Failure) -> Int? { firstDetails[failure.rawValue] }
    var failed: Int { failures.reduce(0, +) }
}
