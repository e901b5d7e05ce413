/// What a log says as a whole: estimates for all exchanges, where records of a sampled log stand for several.
struct AccessLogSummary {
    private var records: UInt64 = 0
    private var keptRecords: UInt64 = 0
    private var keptWeight: UInt64 = 0
    private var weight: UInt64 = 0
    /// Of the estimated number of exchanges: each record of weight w was one of w that were as likely.
    private var variance = 0.0
    private var first = Int64.max
    private var last = Int64.min
    /// By the status' first digit; 0: there was none.
    private var statuses = InlineArray<10, UInt64>(repeating: 0)
    private var requestBytes = 0.0
    private var responseBytes = 0.0
    private var duration = WeightedHistogram()
    private var added = WeightedHistogram()
    /// Nanoseconds times weight.
    private var stages = InlineArray<11, Double>(repeating: 0)
    private var retries = 0.0
    private var targets = FrequentTexts()
    private var clusters = FrequentTexts()
    private var endpoints = FrequentTexts()
    private var failures = FrequentTexts()

    mutating func add(_ view: AccessRecordView) {
        let record = view.record
        let weight = UInt64(max(record.weight, 1))
        let texts = AccessLogTexts(view.texts)
        records += 1
        self.weight += weight
        variance += Double(weight) * Double(weight - 1)
        if record.flags.contains(.isKept) {
            keptRecords += 1
            keptWeight += weight
        }
        first = min(first, record.startedAt)
        last = max(last, record.startedAt)
        statuses[min(Int(record.status) / 100, 9)] += weight
        requestBytes += Double(record.requestBytes) * Double(weight)
        responseBytes += Double(record.responseBytes) * Double(weight)
        duration.add(record.times.total, weight)
        added.add(record.times.added, weight)
        for stage in Ledger.Stage.allCases {
            stages[Int(stage.rawValue)] += Double(record.times[stage]) * Double(weight)
        }
        retries += Double(record.retries) * Double(weight)
        let target = texts[.target]
        var end = 0
        while end < target.count, target[end] != UInt8(ascii: "?") { end += 1 }
        if end > 0 { targets.add(target[0..<end], weight) }
        if !texts[.cluster].isEmpty { clusters.add(texts[.cluster], weight) }
        if !texts[.endpoint].isEmpty { endpoints.add(texts[.endpoint], weight) }
        if !texts[.failure].isEmpty { failures.add(texts[.failure], weight) }
    }

    /// Lines for people.
    var text: String {
        guard records > 0 else { return "no records" }
        let seconds = (Double(last) - Double(first)) / 1e9
        var lines = [
            row("requests", "\(grouped(weight))\(uncertainty)\(rate(Double(weight), seconds, "/s"))"),
            row(
                "records",
                "\(grouped(records)), of which \(grouped(keptRecords)) kept for what they are (failed or slow)"
            ),
        ]
        if keptRecords > 0 {
            lines.append(
                row(
                    "",
                    "kept ones stand for \(grouped(keptWeight)), sampled ones for \(grouped(weight - keptWeight))"
                ))
        }
        lines.append(row("from", Self.time(first)))
        lines.append(row("to", Self.time(last)))
        lines.append("")
        for hundred in 0..<10 where statuses[hundred] > 0 {
            let name = hundred == 0 ? "no status" : "\(hundred)xx"
            lines.append(row(name, "\(grouped(statuses[hundred])) \(share(statuses[hundred]))"))
        }
        lines.append("")
        lines.append(row("received", bytes(requestBytes, seconds)))
        lines.append(row("sent", bytes(responseBytes, seconds)))
        lines.append("")
        lines.append(row("", ["p50", "p90", "p99", "p99.9", "max"].map { padded($0, 12) }.joined()))
        lines.append(row("duration", percentiles(duration)))
        lines.append(row("added", percentiles(added)))
        lines.append("")
        lines += stageLines
        lines +=
            top("targets", targets) + top("clusters", clusters) + top("endpoints", endpoints)
            + top("failures", failures)
        return lines.joined(separator: "\n")
    }

    private var uncertainty: String {
        variance > 0 ? " ± \(grouped(UInt64(variance.squareRoot().rounded()))) (one standard error)" : ""
    }

    /// The share of all time that each stage took.
    private var stageLines: [String] {
        var total = 0.0
        for stage in Ledger.Stage.allCases { total += stages[Int(stage.rawValue)] }
        guard total > 0 else { return [] }
        var lines: [String] = []
        for stage in Ledger.Stage.allCases where stages[Int(stage.rawValue)] > 0 {
            let time = stages[Int(stage.rawValue)]
            let mean = milliseconds(time / Double(weight))
            let mark = stage.isAdded ? "  added" : ""
            lines.append(row(stage.label.description, "\(percent(time / total)) \(mean) a request\(mark)"))
        }
        if retries > 0 {
            lines.append(
                row(
                    "retries",
                    "\(percent(retries / total)) \(milliseconds(retries / Double(weight))) a request, in the above as well"
                ))
        }
        return lines
    }

    private func top(_ name: String, _ texts: FrequentTexts) -> [String] {
        let most = texts.most(10)
        guard !most.isEmpty else { return [] }
        var lines = ["", "top \(name)\(texts.isExact ? "" : " (estimates: at most, and at least)")"]
        for entry in most {
            let least = entry.error > 0 ? "\(padded(grouped(entry.count - entry.error), 14))" : ""
            lines.append("\(padded(grouped(entry.count), 14))\(least) \(share(entry.count))  \(entry.text)")
        }
        return lines
    }

    private func row(_ name: String, _ text: String) -> String {
        name + String(repeating: " ", count: max(0, 12 - name.count)) + text
    }

    private func share(_ part: UInt64) -> String { percent(Double(part) / Double(weight)) }

    private func percentiles(_ histogram: WeightedHistogram) -> String {
        let values = [0.5, 0.9, 0.99, 0.999].map { histogram.percentile($0) } + [histogram.greatest]
        return values.map { padded(milliseconds(Double($0)), 12) }.joined()
    }

    private func bytes(_ count: Double, _ seconds: Double) -> String {
        "\(grouped(UInt64(min(count, 1.8e19)))) bytes\(rate(count, seconds, " bytes/s"))"
    }

    private func rate(_ count: Double, _ seconds: Double, _ unit: String) -> String {
        seconds > 0 ? ", \(Self.decimal(count / seconds, 1))\(unit)" : ""
    }

    private func milliseconds(_ nanoseconds: Double) -> String { Self.decimal(nanoseconds / 1e6, 3) + " ms" }
    private func percent(_ share: Double) -> String { padded(Self.decimal(share * 100, 1), 6) + "%" }
    private func padded(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    private static func decimal(_ value: Double, _ digits: Int) -> String {
        let scale: UInt64 = digits == 1 ? 10 : 1000
        let scaled = UInt64(min((max(value, 0) * Double(scale)).rounded(), 1e18))
        let fraction = String(scaled % scale)
        let zeros = String(repeating: "0", count: digits - fraction.count)
        return "\(grouped(scaled / scale)).\(zeros)\(fraction)"
    }

    private static func time(_ nanoseconds: Int64) -> String {
        var text: [UInt8] = []
        AccessLogFormat.write(to: &text, atMost: 32) { writer in
            AccessLogTime(nanoseconds: nanoseconds).writeRFC3339(to: &writer)
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// With commas between the thousands.
private func grouped(_ number: UInt64) -> String {
    let digits = Array(String(number))
    var text = ""
    for (index, digit) in digits.enumerated() {
        if index > 0, (digits.count - index) % 3 == 0 { text += "," }
        text.append(digit)
    }
    return text
}

/// Numbers with weights, in classes of which each is 1/64 wide: percentiles are right within 1.6 %.
struct WeightedHistogram {
    private static var fineBits: Int { 6 }
    private var counts = [UInt64](repeating: 0, count: (64 - fineBits + 1) << fineBits)
    private var total: UInt64 = 0
    private(set) var greatest: Int64 = 0

    mutating func add(_ value: Int64, _ weight: UInt64) {
        counts[Self.index(of: UInt64(max(value, 0)))] += weight
        total += weight
        greatest = max(greatest, value)
    }

    /// A value that the share `share` of all is no greater than; 0 if there are none.
    func percentile(_ share: Double) -> Int64 {
        let wanted = max(1, UInt64((Double(total) * share).rounded(.up)))
        var sum: UInt64 = 0
        for (index, count) in counts.enumerated() where count > 0 {
            sum += count
            if sum >= wanted { return min(Self.middle(of: index), greatest) }
        }
        return greatest
    }

    private static func index(of value: UInt64) -> Int {
        let fine = UInt64(1) << fineBits
        guard value >= fine else { return Int(value) }
        let exponent = 63 - value.leadingZeroBitCount - fineBits
        return (exponent + 1) << fineBits + Int(value >> UInt64(exponent) & (fine - 1))
    }

    private static func middle(of index: Int) -> Int64 {
        let fine = 1 << fineBits
        guard index >= fine else { return Int64(index) }
        let exponent = index >> fineBits - 1
        let base = Int64(fine + index & (fine - 1)) << Int64(exponent)
        return base + Int64(1) << Int64(exponent) / 2
    }
}

/// The most frequent ones of any number of texts, in bounded memory: Space-Saving (Metwally, Agrawal, El Abbadi, 2005). A count is too
/// high by `error` at most; what makes more than a `capacity`-th of all is always there.
struct FrequentTexts {
    struct Entry {
        var text: [UInt8]
        var count: UInt64
        var error: UInt64
    }

    private static var capacity: Int { 1024 }
    /// Longer ones are cut.
    private static var textLimit: Int { 256 }

    private var entries: [Entry] = []
    private var places: [[UInt8]: Int] = [:]
    /// Nothing was ever left out.
    private(set) var isExact = true

    mutating func add(_ text: ByteView, _ weight: UInt64) {
        var key: [UInt8] = []
        key.append(text[0..<min(text.count, Self.textLimit)])
        if let place = places[key] {
            entries[place].count += weight
        } else if entries.count < Self.capacity {
            places[key] = entries.count
            entries.append(Entry(text: key, count: weight, error: 0))
        } else {
            replaceLeast(by: key, weight)
        }
    }

    private mutating func replaceLeast(by key: [UInt8], _ weight: UInt64) {
        isExact = false
        var least = 0
        for index in entries.indices where entries[index].count < entries[least].count { least = index }
        places[entries[least].text] = nil
        places[key] = least
        let count = entries[least].count
        entries[least] = Entry(text: key, count: count + weight, error: count)
    }

    /// - Returns: the most frequent ones first; their texts are escaped as in logs.
    func most(_ count: Int) -> [(text: String, count: UInt64, error: UInt64)] {
        let sorted = entries.sorted { ($1.count, $0.text.count) < ($0.count, $1.text.count) }
        return sorted.prefix(count).map { entry in
            var text: [UInt8] = []
            AccessLogFormat.write(to: &text, atMost: AccessLogFormat.escapedSize * entry.text.count) {
                writer in
                unsafe entry.text.withUnsafeBytes { writer.append(escaped: unsafe ByteView($0)) }
            }
            return (String(decoding: text, as: UTF8.self), entry.count, entry.error)
        }
    }
}
