/// A JSON object, written field by field.
struct JSONObject {
    private var fields: [String] = []

    var text: String { "{\(fields.joined(separator: ", "))}" }

    mutating func add(_ name: String, _ value: Int) { add(name, raw: "\(value)") }
    mutating func add(_ name: String, _ value: Bool) { add(name, raw: "\(value)") }
    mutating func add(_ name: String, _ value: JSONObject) { add(name, raw: value.text) }
    mutating func add(_ name: String, _ value: String) { add(name, raw: Self.quoted(value)) }

    /// - Parameter digits: behind the decimal point.
    mutating func add(_ name: String, _ value: Double, digits: Int) {
        let power = (0..<digits).reduce(1) { power, _ in power * 10 }
        let scaled = Int(value.magnitude * Double(power) + 0.5)
        let fraction = String(scaled % power)
        add(
            name,
            raw: (value < 0 ? "-" : "") + "\(scaled / power)."
                + String(repeating: "0", count: digits - fraction.count) + fraction)
    }

    private mutating func add(_ name: String, raw: String) { fields.append("\(Self.quoted(name)): \(raw)") }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case _ where scalar.value < 32:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
