/// What the value of a field or of a query parameter has to be.
///
/// | Text | What it matches |
/// | --- | --- |
/// | `text` | this value |
/// | `text*` | values that begin so |
/// | `~^v[12]$` | where the regular expression is found |
/// | `*` | any value: it is present |
/// | `!*` | none: it is absent |
///
/// Letter case matters. For a value that itself ends in `*` or begins with `~` there are regular expressions.
enum ValuePattern: Hashable, Sendable {
    case exact(String)
    case prefix(String)
    case expression(RegularExpression)
    case present
    case absent

    init(parsing text: String) throws(OptionSyntaxError) {
        if text == "*" {
            self = .present
        } else if text == "!*" {
            self = .absent
        } else if text.hasPrefix("~") {
            self = .expression(try RegularExpression(String(text.dropFirst()), ignoringCase: false))
        } else if text.hasSuffix("*") {
            self = .prefix(String(text.dropLast()))
        } else {
            self = .exact(text)
        }
    }
}
