/// Sizes in bytes as people write them: `512`, `32KiB` (1024), `10MB` (1000).
public enum ByteSize {
    private static let units: [(suffix: String, bytes: UInt64)] = [
        ("b", 1), ("kib", 1 << 10), ("mib", 1 << 20), ("gib", 1 << 30), ("tib", 1 << 40),
        ("kb", 1000), ("mb", 1_000_000), ("gb", 1_000_000_000), ("tb", 1_000_000_000_000),
    ]

    public static func parse(_ text: String) throws(OptionSyntaxError) -> UInt64 {
        let (number, suffix) = try splitNumber(text, kind: "size", examples: "512, 32KiB, 1MiB or 10MB")
        if suffix.isEmpty { return number }
        let unit = suffix.lowercased()
        guard let bytes = units.first(where: { $0.suffix == unit })?.bytes else {
            if ["k", "m", "g", "t"].contains(unit) {
                let letter = unit.uppercased()
                throw OptionSyntaxError(
                    "\(quoted(suffix)) leaves open which: write \(number)\(letter)iB (powers of 1024)"
                        + " or \(number)\(letter)B (powers of 1000)")
            }
            throw OptionSyntaxError(
                "\(quoted(suffix)) is not a unit of size: use B, KiB, MiB, GiB, TiB, KB, MB, GB or TB")
        }
        let (product, overflow) = number.multipliedReportingOverflow(by: bytes)
        guard !overflow, product <= UInt64(Int64.max) else {
            throw OptionSyntaxError("\(quoted(text)) is larger than any size can be")
        }
        return product
    }

    /// In the largest unit of 1024 that stays whole: 32KiB, 1536KiB, 500.
    public static func describe(_ bytes: UInt64) -> String {
        for unit in units[1...4].reversed() where bytes >= unit.bytes && bytes % unit.bytes == 0 {
            let suffix = unit.suffix.prefix(1).uppercased() + "iB"
            return "\(bytes / unit.bytes)\(suffix)"
        }
        return "\(bytes)"
    }
}
