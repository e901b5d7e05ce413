/// An endpoint as the configuration writes it: its address, and what goes with it.
struct UpstreamText: Equatable {
    var address: String
    var weight: UInt32 = 1
    /// Where it stands; nil: nobody said.
    var zone: String?
    /// Those with the least come first.
    var priority: UInt16 = 0

    static let weightRange: ClosedRange<UInt32> = 1...1000
    /// That of SRV records (RFC 2782).
    static let priorityRange: ClosedRange<UInt16> = 0...UInt16.max

    /// `HOST:PORT` or `unix:PATH`, and after it `,weight=N`, `,zone=NAME` and `,priority=N`. A comma and not a star, which shells expand.
    init(parsing text: String) throws(OptionSyntaxError) {
        address = text
        var seen: Set<Substring> = []
        while let comma = address.lastIndex(of: ",") {
            let parts = address[comma...].dropFirst().split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, ["weight", "zone", "priority"].contains(parts[0]) else { return }
            let rest = String(address[..<comma])
            switch parts[0] {
            case "weight": weight = try Self.number(parts[1], "weight", Self.weightRange, 3, text, rest)
            case "priority":
                priority = try Self.number(parts[1], "priority", Self.priorityRange, 1, text, rest)
            default: zone = try Self.zone(parts[1])
            }
            if !seen.insert(parts[0]).inserted {
                throw OptionSyntaxError("\(quoted(text)) says its \(parts[0]) twice: keep one of them")
            }
            address = rest
        }
    }

    /// - Parameter example: a good one.
    private static func number<Number: FixedWidthInteger>(
        _ digits: Substring, _ name: String, _ range: ClosedRange<Number>, _ example: Number, _ text: String,
        _ address: String
    ) throws(OptionSyntaxError) -> Number {
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Number(digits),
            range.contains(number)
        else {
            throw OptionSyntaxError(
                "\(quoted(text)) has no \(name) from \(range.lowerBound) to"
                    + " \(range.upperBound): write for example \(address),\(name)=\(example)")
        }
        return number
    }

    /// The name of a zone, such as `eu-central-1a`.
    static func zone(_ text: some StringProtocol) throws(OptionSyntaxError) -> String {
        let fits =
            (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || "-_.".utf8.contains(byte)
            }
        guard fits else {
            throw OptionSyntaxError(
                "\(quoted(String(text))) is no zone: use up to 64 letters, digits, hyphens, underscores and dots"
            )
        }
        return String(text)
    }
}
