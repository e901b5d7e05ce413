/// A header field that a rule asks for. Where a name stands on several lines, one that has the value is enough.
struct FieldPattern: Hashable, Sendable {
    /// In lower case.
    let name: String
    let value: ValuePattern

    init(name: String, value: ValuePattern) throws(OptionSyntaxError) {
        guard !name.isEmpty, name.utf8.allSatisfy(\.isTokenByte) else {
            throw OptionSyntaxError("\(quoted(name)) is no field name: write for example x-version")
        }
        self.name = name.lowercased()
        self.value = value
    }
}
