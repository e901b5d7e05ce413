/// An endpoint as the configuration writes it: its address, and what goes with it.
struct UpstreamText: Equatable {
    var address: String
    var weight: UInt32 = 1

    static let weightRange: ClosedRange<UInt32> = 1...1000
    private static let weightKey = ",weight="

    /// `HOST:PORT` or `unix:PATH`, and after it `,weight=N`. A comma and not a star, which shells expand.
    init(parsing text: String) throws(OptionSyntaxError) {
        guard let comma = text.lastIndex(of: ","), text[comma...].hasPrefix(Self.weightKey) else {
            address = text
            return
        }
        address = String(text[..<comma])
        let digits = text[comma...].dropFirst(Self.weightKey.count)
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let weight = UInt32(digits),
            Self.weightRange.contains(weight)
        else {
            throw OptionSyntaxError(
                "\(quoted(text)) has no weight from \(Self.weightRange.lowerBound) to"
                    + " \(Self.weightRange.upperBound): write for example \(address),weight=3")
        }
        self.weight = weight
    }
}
