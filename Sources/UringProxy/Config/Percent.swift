/// Shares as people write them: `20%`.
enum Percent {
    /// 0 to 100.
    static func parse(_ text: String) throws(OptionSyntaxError) -> Int {
        let (number, rest) = try splitNumber(
            text, kind: "share", whole: "write whole percents", examples: "20%")
        guard rest == "%" || number == 0 && rest.isEmpty else {
            throw OptionSyntaxError("\(quoted(text)) is no share: write for example \(number)%")
        }
        guard number <= 100 else {
            throw OptionSyntaxError("\(quoted(text)) is more than all: write 0 to 100%")
        }
        return Int(number)
    }
}
