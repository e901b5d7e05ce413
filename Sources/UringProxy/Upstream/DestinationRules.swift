/// The rules of one side, allow or deny, arranged for looking up without allocation.
struct DestinationRules: Sendable {
    private struct AddressRule: Sendable {
        let prefix: AddressPrefix
        let ports: ClosedRange<UInt16>
    }
    private struct NameRule: Sendable {
        let start: Int
        let size: Int
        let ports: ClosedRange<UInt16>
        let includesItself: Bool
        let includesBelow: Bool
    }

    /// In the order given: a list as people write them is short, and 1,000 blocks are compared in about 2 µs.
    private var addresses: [AddressRule] = []
    /// Sorted by name; the bytes stand in `nameBytes`.
    private var names: [NameRule] = []
    private var nameBytes: [UInt8] = []
    private var anyHostPorts: [ClosedRange<UInt16>] = []

    var isEmpty: Bool { addresses.isEmpty && names.isEmpty && anyHostPorts.isEmpty }

    /// - Parameter lists: each a list of rules separated by commas.
    init(_ lists: [String]) throws(DestinationRuleError) {
        var named: [(name: String, rule: DestinationRule)] = []
        for list in lists {
            for text in list.split(separator: ",", omittingEmptySubsequences: false) {
                let rule = try DestinationRule(parsing: DestinationRules.trimmed(text))
                switch rule.target {
                case .any: anyHostPorts.append(rule.ports)
                case .addresses(let prefix): addresses.append(AddressRule(prefix: prefix, ports: rule.ports))
                case .name(let name, _, _): named.append((name, rule))
                }
            }
        }
        named.sort { Array($0.name.utf8).lexicographicallyPrecedes(Array($1.name.utf8)) }
        for (name, rule) in named {
            guard case .name(_, let includesItself, let includesBelow) = rule.target else { continue }
            names.append(
                NameRule(
                    start: nameBytes.count, size: name.utf8.count, ports: rule.ports,
                    includesItself: includesItself, includesBelow: includesBelow))
            nameBytes.append(contentsOf: name.utf8)
        }
    }

    /// Whether a rule for any host covers the port.
    func coversAnyHost(port: UInt16) -> Bool {
        for ports in anyHostPorts where ports.contains(port) { return true }
        return false
    }

    func cover(_ address: IPAddress, port: UInt16) -> Bool {
        for rule in addresses where rule.ports.contains(port) && rule.prefix.contains(address) { return true }
        return false
    }

    /// Whether a rule for some address might still apply once the name is resolved.
    func mayCoverAddress(port: UInt16) -> Bool {
        for rule in addresses where rule.ports.contains(port) { return true }
        return false
    }

    /// - Parameter name: as `HostName.normalised` gives it; letter case does not matter.
    func cover(name: ByteView, port: UInt16) -> Bool {
        guard !names.isEmpty else { return false }
        // The name itself, then what stands behind each of its dots: one search for each label.
        var start = 0
        while true {
            if covers(suffix: name.dropFirst(start), isWhole: start == 0, port: port) { return true }
            while start < name.count && name[start] != UInt8(ascii: ".") { start += 1 }
            guard start < name.count else { return false }
            start += 1
        }
    }

    private func covers(suffix: ByteView, isWhole: Bool, port: UInt16) -> Bool {
        var low = 0
        var high = names.count
        while low < high {
            let middle = (low + high) / 2
            if order(names[middle], suffix) < 0 { low = middle + 1 } else { high = middle }
        }
        while low < names.count && order(names[low], suffix) == 0 {
            let rule = names[low]
            if (isWhole ? rule.includesItself : rule.includesBelow) && rule.ports.contains(port) {
                return true
            }
            low += 1
        }
        return false
    }

    /// Negative if the rule's name comes before `text`, 0 if they are the same.
    private func order(_ rule: NameRule, _ text: ByteView) -> Int {
        for index in 0..<min(rule.size, text.count) {
            let difference = Int(nameBytes[rule.start + index]) - Int(text[index].asciiLowercased)
            if difference != 0 { return difference }
        }
        return rule.size - text.count
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let first = text.first, first == " " || first == "\t" { text = text.dropFirst() }
        while let last = text.last, last == " " || last == "\t" { text = text.dropLast() }
        return text
    }
}
