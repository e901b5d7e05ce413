/// What somebody may have meant who wrote a name that does not exist.
enum NearestName {
    /// The nearest of `names`, if one is near enough to be taken for a slip of the pen: at most one slip in three
    /// characters, and two in all.
    static func of(_ name: String, among names: [String]) -> String? {
        let word = Array(name.lowercased().replacing("-", with: "_").utf8)
        let limit = min(2, max(1, word.count / 3))
        var best: (name: String, slips: Int)?
        for candidate in names {
            let slips = distance(word, Array(candidate.utf8))
            if slips <= limit && slips < (best?.slips ?? .max) { best = (candidate, slips) }
        }
        return best?.name
    }

    /// What to write in the place of a name that does not exist.
    ///
    /// - Parameter section: of the configuration, where `names` are defined.
    static func remedy(for name: String, among names: [String], of section: String) -> String {
        if let near = of(name, among: names) { return "did you mean '\(near)'?" }
        return names.isEmpty ? "define it below '\(section)'" : "known are \(names.joined(separator: ", "))"
    }

    /// Characters left out, put in, changed, or exchanged with their neighbour (Damerau 1964, adjacent ones only).
    static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in 0..<a.count {
            var row = [i + 1]
            for j in 0..<b.count {
                var least = min(row[j] + 1, last[j + 1] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                    least = min(least, beforeLast[j - 1] + 1)
                }
                row.append(least)
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }
}
