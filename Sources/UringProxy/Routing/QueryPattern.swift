/// A query parameter that a rule asks for. Where a name occurs several times, one that has the value is enough.
///
/// Names and values are those that upstream will decode: `%41` is `A`, `+` is a space.
struct QueryPattern: Hashable, Sendable {
    let name: String
    let value: ValuePattern

    init(name: String, value: ValuePattern) throws(OptionSyntaxError) {
        guard !name.isEmpty else {
            throw OptionSyntaxError("the name of a query parameter is empty: write what stands before its =")
        }
        self.name = name
        self.value = value
    }
}
