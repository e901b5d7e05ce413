/// An endpoint as the configuration writes it: its address, and what goes with it.
struct UpstreamText: Equatable {
    var address: String
    var weight: UInt32 = 1
    /// Where it stands; nil: nobody said.
    var zone: String?

    static let weightRange: ClosedRange<UInt32> = 1...1000

    /// `HOST:PORT` or `unix:PATH`, and after it `,weight=N` and `,zone=NAME`. A comma and not a star, which shells expand.
    init(parsing text: String) throws(OptionSyntaxError) {
        address = text
        var seen: Set<Substring> = []
        while let comma = address.lastIndex(of: ",") {
            let parts = address[comma...].dropFirst().split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0] == "weight" || parts[0] == "zone" else { return }
            let rest = String(address[..<comma])
            if parts[0] == "weight" {
                weight = try Self.weight(parts[1], text, rest)
            } else {
                zone = try Self.zone(parts[1])
            }
            if !seen.insert(parts[0]).inserted {
                throw OptionSyntaxError("\(quoted(text)) says its \(parts[0]) twice: keep one of them")
            }
            address = rest
        }
    }

    private static func weight(
        _ digits: Substring, _ text: String, _ address: String
    ) throws(OptionSyntaxError) -> UInt32 {
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let weight = UInt32(digits),
            weightRange.contains(weight)
        else {
            throw OptionSyntaxError(
                "\(quoted(text)) has no weight from \(weightRange.lowerBound) to"
                    + " \(weightRange.upperBound): write for example \(address),weight=3")
        }
        return weight
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
