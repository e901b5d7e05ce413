/// Where the connections of a listener go, by the server names that their clients ask for. Never changes; any thread may ask.
final class ServerNameTable: Sendable {
    /// The parents of names, and of what stands behind a `*.`.
    private static let exact: UInt32 = 0
    private static let below: UInt32 = 1

    private let labels: LabelTable
    private let seed: UInt64
    /// Of each rule, by index.
    private let clusters: [Int]

    /// - Parameters:
    ///   - names: each once, with the rule that it is of.
    ///   - clusters: of each rule, by their index.
    init(_ names: [(pattern: ServerNamePattern, rule: Int)], clusters: [Int], seed: UInt64) {
        var texts: [UInt8] = []
        var labels: [LabelTable.Label] = []
        for (pattern, rule) in names {
            precondition(clusters.indices.contains(rule))
            let start = texts.count
            texts += Array(pattern.name.utf8)
            labels.append(
                LabelTable.Label(
                    parent: pattern.isWildcard ? Self.below : Self.exact,
                    text: ByteRange(start..<texts.count), value: UInt32(rule)))
        }
        self.labels = LabelTable(labels, texts: texts, seed: seed, foldingCase: true)
        self.seed = seed
        self.clusters = clusters
    }

    /// The rule that is for a name: the one that names it, else the one with the most of it behind its `*.`.
    ///
    /// - Parameter name: without a final dot.
    func rule(for name: ByteView) -> Int? {
        if let rule = find(name, Self.exact) { return rule }
        for index in 0..<name.count where name[index] == UInt8(ascii: ".") {
            if let rule = find(name.dropFirst(index + 1), Self.below) { return rule }
        }
        return nil
    }

    func cluster(ofRule rule: Int) -> Int { clusters[rule] }

    private func find(_ name: ByteView, _ parent: UInt32) -> Int? {
        let hash = ByteHash.hash(name, seed: seed, foldingCase: true)
        let value = labels.find(name, below: parent, hash: hash, ignoringCase: true)
        return value == LabelTable.none ? nil : Int(value)
    }
}
