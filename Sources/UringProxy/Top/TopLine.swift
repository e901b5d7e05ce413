/// How a part of a line stands out.
enum TopStyle: Sendable, Equatable {
    case plain, strong, faint, good, warning, bad, heading, selected
}

/// What the terminal can show.
public struct TopPalette: Sendable {
    public enum Colours: Sendable {
        /// Nothing but the characters themselves.
        case none
        /// Bold and inverse, without colours (https://no-color.org).
        case monochrome
        case ansi
    }

    public var colours: Colours
    /// Characters beyond ASCII can be shown.
    public var isUnicode: Bool

    public init(colours: Colours, isUnicode: Bool) {
        self.colours = colours
        self.isUnicode = isUnicode
    }

    public static let text = TopPalette(colours: .none, isUnicode: false)

    /// What begins a style (ECMA-48 §8.3.117); empty: nothing has to.
    fileprivate func beginning(_ style: TopStyle) -> String {
        let codes: (colour: String, monochrome: String) =
            switch style {
            case .plain: ("", "")
            case .strong: ("1", "1")
            case .faint: ("2", "")
            case .good: ("32", "")
            case .warning: ("33", "1")
            case .bad: ("31;1", "1")
            case .heading: ("1;4", "1;4")
            case .selected: ("7", "7")
            }
        let code = colours == .none ? "" : colours == .ansi ? codes.colour : codes.monochrome
        return code.isEmpty ? "" : "\u{1B}[\(code)m"
    }
}

/// A line of the screen: parts with a style each. A character is a cell.
struct TopLine: Sendable, Equatable {
    private(set) var parts: [(text: String, style: TopStyle)] = []

    init(_ text: String = "", _ style: TopStyle = .plain) { if !text.isEmpty { parts = [(text, style)] } }

    static func == (a: TopLine, b: TopLine) -> Bool {
        a.parts.elementsEqual(b.parts) { $0.text == $1.text && $0.style == $1.style }
    }

    var width: Int { parts.reduce(0) { $0 + $1.text.count } }
    var text: String { parts.map(\.text).joined() }

    mutating func add(_ text: String, _ style: TopStyle = .plain) {
        if !text.isEmpty { parts.append((text, style)) }
    }

    /// Spaces up to a column.
    mutating func pad(to column: Int) { add(String(repeating: " ", count: max(0, column - width))) }

    /// All of it in one style.
    func styled(_ style: TopStyle) -> TopLine { TopLine(text, style) }

    /// No longer than so many cells; what is cut off is told by a sign, if it is a text.
    func clipped(to width: Int) -> TopLine {
        var line = TopLine()
        var left = max(0, width)
        for part in parts where left > 0 {
            line.add(String(part.text.prefix(left)), part.style)
            left -= part.text.count
        }
        return line
    }

    /// As the terminal takes it.
    func rendered(_ palette: TopPalette) -> String {
        parts.reduce(into: "") { text, part in
            let beginning = palette.beginning(part.style)
            text += beginning.isEmpty ? part.text : "\(beginning)\(part.text)\u{1B}[0m"
        }
    }
}
