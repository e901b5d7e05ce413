/// Environment variables in the values of a configuration file: `${NAME}`, or `${NAME:-what stands for it}` if the
/// variable is unset or empty. `$${` stands for `${` itself. Structure is read before, so no variable can add a key.
enum Interpolation {
    /// - Parameter environment: the value of a variable; nil if it is not set.
    static func expand(
        _ text: String, environment: (String) -> String?
    ) throws(OptionSyntaxError) -> String {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
        var result = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$${") {
                result += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${") {
                guard let end = rest.firstIndex(of: "}") else {
                    throw OptionSyntaxError(
                        "\(quoted(text)) has a '${' without its '}': close it, or write '$${' for the characters themselves"
                    )
                }
                result += try value(
                    of: rest[rest.index(rest.startIndex, offsetBy: 2)..<end], in: text, environment)
                rest = rest[rest.index(after: end)...]
            } else {
                result += "$"
                rest = rest.dropFirst()
            }
        }
        return result + rest
    }

    private static func value(
        of reference: Substring, in text: String, _ environment: (String) -> String?
    ) throws(OptionSyntaxError) -> String {
        var name = reference
        var substitute: Substring?
        if let range = reference.firstRange(of: ":-") {
            name = reference[..<range.lowerBound]
            substitute = reference[range.upperBound...]
        }
        let isName =
            !name.isEmpty && !name.first!.isNumber
            && name.utf8.allSatisfy { byte in
                byte == UInt8(ascii: "_") || (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
                    || (0x61...0x7A).contains(byte)
            }
        guard isName else {
            throw OptionSyntaxError(
                "\(quoted(String(reference))) in \(quoted(text)) names no environment variable: write ${NAME} or ${NAME:-default}"
            )
        }
        if let value = environment(String(name)), !value.isEmpty { return value }
        guard let substitute else {
            throw OptionSyntaxError(
                "the environment variable \(name) is not set: set it, or write ${\(name):-default}")
        }
        return String(substitute)
    }
}
