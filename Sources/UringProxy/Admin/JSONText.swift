/// JSON as it is written (RFC 8259): in the order of the calls, without spaces.
struct JSONText {
    private(set) var text = ""
    /// The next value, or name, has one before it.
    private var needsComma = false

    /// One object as a whole text.
    static func object(_ members: (inout JSONText) -> Void) -> String {
        var json = JSONText()
        json.braces("{", "}", members)
        return json.text + "\n"
    }

    // MARK: - Members of an object

    mutating func member(_ name: String, _ value: String) {
        begin(name)
        quote(value)
    }

    mutating func member(_ name: String, _ value: StaticString) { member(name, "\(value)") }

    mutating func member(_ name: String, _ value: some BinaryInteger) {
        begin(name)
        text += "\(value)"
    }

    mutating func member(_ name: String, _ value: Bool) {
        begin(name)
        text += value ? "true" : "false"
    }

    /// - Parameter value: finite, or it is told as null.
    mutating func member(_ name: String, _ value: Double) {
        begin(name)
        text += value.isFinite ? "\(value)" : "null"
    }

    /// A duration, as all durations are told here.
    mutating func member(_ name: String, nanoseconds: Int64) { member(name, Double(nanoseconds) / 1e9) }

    mutating func object(_ name: String, _ members: (inout JSONText) -> Void) {
        begin(name)
        braces("{", "}", members)
    }

    mutating func array<Item>(
        _ name: String, _ items: some Sequence<Item>, _ value: (inout JSONText, Item) -> Void
    ) {
        begin(name)
        braces("[", "]") { json in for item in items { value(&json, item) } }
    }

    mutating func array(_ name: String, _ items: some Sequence<String>) {
        array(name, items) { $0.value($1) }
    }

    // MARK: - Values of an array

    mutating func object(_ members: (inout JSONText) -> Void) {
        separate()
        braces("{", "}", members)
        needsComma = true
    }

    mutating func value(_ value: String) {
        separate()
        quote(value)
    }

    mutating func value(_ value: some BinaryInteger) {
        separate()
        text += "\(value)"
    }

    mutating func value(_ value: Double) {
        separate()
        text += value.isFinite ? "\(value)" : "null"
    }

    // MARK: - Signs

    private mutating func begin(_ name: String) {
        separate()
        quote(name)
        text += ":"
    }

    private mutating func separate() {
        if needsComma { text += "," }
        needsComma = true
    }

    private mutating func braces(_ open: String, _ close: String, _ body: (inout JSONText) -> Void) {
        text += open
        needsComma = false
        body(&self)
        text += close
        needsComma = true
    }

    private mutating func quote(_ value: String) { text += jsonString(value) }
}
