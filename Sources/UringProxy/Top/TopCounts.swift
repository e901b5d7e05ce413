/// What exchanges of a name came to: since the process began, or between two samples.
struct TopCounts: Sendable, Equatable {
    static let classes = ["1xx", "2xx", "3xx", "4xx", "5xx", "none"]

    /// By class of the status.
    var responses: [String: Double] = [:]
    var requestBytes = 0.0
    var responseBytes = 0.0
    var duration = TopHistogram()
    var added = TopHistogram()
    var wait = TopHistogram()

    /// All exchanges that have ended.
    var ended: Double { responses.values.reduce(0, +) }
    /// Those that were answered with 5xx, or not at all.
    var failed: Double { (responses["5xx"] ?? 0) + (responses["none"] ?? 0) }

    init() {}

    init(_ json: JSONValue) {
        for (name, count) in json["responses"]?.numbers ?? [:] where Self.classes.contains(name) {
            responses[name] = count
        }
        requestBytes = json["request_bytes"]?.number ?? 0
        responseBytes = json["response_bytes"]?.number ?? 0
        duration = TopHistogram(json["duration"])
        added = TopHistogram(json["added"])
        wait = TopHistogram(json["upstream_wait"])
    }

    mutating func add(_ other: TopCounts) {
        responses.merge(other.responses, uniquingKeysWith: +)
        requestBytes += other.requestBytes
        responseBytes += other.responseBytes
        duration.add(other.duration)
        added.add(other.added)
        wait.add(other.wait)
    }

    /// What was counted since an earlier sample. What has become less was begun anew, and all of it is new.
    func since(_ earlier: TopCounts) -> TopCounts {
        var rest = self
        for (name, count) in earlier.responses {
            let left = (responses[name] ?? 0) - count
            if left < 0 { return self }
            rest.responses[name] = left
        }
        rest.requestBytes = max(0, requestBytes - earlier.requestBytes)
        rest.responseBytes = max(0, responseBytes - earlier.responseBytes)
        rest.duration = duration.since(earlier.duration)
        rest.added = added.since(earlier.added)
        rest.wait = wait.since(earlier.wait)
        return rest
    }
}

/// How long something took, of many, by bounds that are told beside it.
struct TopHistogram: Sendable, Equatable {
    /// Seconds, of all.
    private(set) var sum = 0.0
    /// How many there are up to each bound, and after them how many there are.
    private(set) var cumulative: [Double] = []

    var count: Double { cumulative.last ?? 0 }
    /// nil if there is none.
    var mean: Double? { count > 0 ? sum / count : nil }

    init() {}

    init(sum: Double, cumulative: [Double]) {
        self.sum = sum
        self.cumulative = cumulative
    }

    init(_ json: JSONValue?) {
        sum = json?["sum"]?.number ?? 0
        cumulative = (json?["cumulative"]?.items ?? []).compactMap(\.number)
    }

    mutating func add(_ other: TopHistogram) {
        if cumulative.isEmpty {
            self = other
        } else if cumulative.count == other.cumulative.count {
            sum += other.sum
            for index in cumulative.indices { cumulative[index] += other.cumulative[index] }
        }
    }

    func since(_ earlier: TopHistogram) -> TopHistogram {
        guard cumulative.count == earlier.cumulative.count, count >= earlier.count else { return self }
        return TopHistogram(
            sum: max(0, sum - earlier.sum),
            cumulative: zip(cumulative, earlier.cumulative).map { max(0, $0 - $1) })
    }

    /// The duration that a part of all does not exceed, as if they were spread evenly between two bounds; infinite if it is beyond
    /// the last bound, nil if there is none.
    ///
    /// - Parameter part: 0 to 1.
    func quantile(_ part: Double, bounds: [Double]) -> Double? {
        guard count > 0, cumulative.count == bounds.count + 1 else { return nil }
        let rank = part * count
        var (before, start) = (0.0, 0.0)
        for (bound, upTo) in zip(bounds, cumulative) {
            if upTo >= rank && upTo > before {
                return start + (bound - start) * max(0, rank - before) / (upTo - before)
            }
            (before, start) = (upTo, bound)
        }
        return .infinity
    }
}
