/// A value of an option that cannot be read: what is wrong with it, and what to write instead.
public struct OptionSyntaxError: Error, Equatable, CustomStringConvertible {
    public let message: String

    init(_ message: String) { self.message = message }

    public var description: String { message }

    /// What is wrong, and what to do about it.
    func parts(otherwise remedy: String) -> (message: String, remedy: String) {
        let parts = message.split(separator: ": ", maxSplits: 1)
        return (String(parts[0]), parts.count == 2 ? String(parts[1]) : remedy)
    }
}

/// A value of the user's as it stands in a message: control characters made visible, and not without end.
func quoted(_ text: String) -> String {
    var result = "'"
    for scalar in text.unicodeScalars.prefix(80) {
        result += scalar.value < 32 || scalar.value == 127 ? scalar.escaped(asASCII: true) : String(scalar)
    }
    return result + (text.unicodeScalars.count > 80 ? "…'" : "'")
}

/// The whole number at the start of `text`, and what follows it.
///
/// - Parameter whole: what to do in place of a fraction.
func splitNumber(
    _ text: String, kind: String, whole: String = "use a smaller unit", examples: String
) throws(OptionSyntaxError) -> (UInt64, String) {
    let digits = text.utf8.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    let rest = String(text.utf8.dropFirst(digits.count)) ?? ""
    guard !digits.isEmpty else {
        if text.hasPrefix("-") {
            throw OptionSyntaxError(
                "\(quoted(text)) is negative: a \(kind) is 0 or more, for example \(examples)")
        }
        throw OptionSyntaxError("\(quoted(text)) is no \(kind): write for example \(examples)")
    }
    if rest.hasPrefix(".") || rest.hasPrefix(",") {
        throw OptionSyntaxError(
            "\(quoted(text)) is no whole number: \(whole), for example \(examples)")
    }
    guard let number = UInt64(String(digits) ?? "") else {
        throw OptionSyntaxError("\(quoted(text)) is too large a number for a \(kind)")
    }
    return (number, rest)
}
