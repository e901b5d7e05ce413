/// Rows under headings, which can be put in order and searched.
struct TopTable: Sendable {
    struct Column: Sendable {
        var name: String
        /// In cells; what is longer is cut.
        var width: Int
        /// Texts; numbers are at the right.
        var isText = false
        /// It takes what the others leave, and no less than its width.
        var isFlexible = false
        /// The order by this column begins with the largest.
        var isDescending: Bool { !isText }
    }

    struct Cell: Sendable {
        var text: String
        /// By which it is in order; nil: by its text.
        var number: Double?
        var style = TopStyle.plain

        static func text(_ text: String, _ style: TopStyle = .plain) -> Cell {
            Cell(text: text, style: style)
        }
        static func rate(_ value: Double?, _ style: TopStyle = .plain) -> Cell {
            Cell(text: TopText.rate(value), number: value ?? -1, style: value ?? 0 > 0 ? style : .plain)
        }
        static func amount(_ value: Double, _ style: TopStyle = .plain) -> Cell {
            Cell(text: TopText.amount(value), number: value, style: value > 0 ? style : .plain)
        }
        static func duration(_ seconds: Double?) -> Cell {
            Cell(text: TopText.duration(seconds), number: seconds ?? -1)
        }
    }

    struct Row: Sendable {
        /// What it is, also in another sample.
        var key: String
        var cells: [Cell]
    }

    var columns: [Column]
    var rows: [Row] = []
    /// The column that it is in order by, and whether the other way round than usual.
    private(set) var order: (column: Int, isReversed: Bool) = (0, false)

    init(_ columns: [Column]) { self.columns = columns }

    /// Rows without the text in any of their cells are left out.
    mutating func filter(_ text: String) {
        if text.isEmpty { return }
        let wanted = text.lowercased()
        rows.removeAll { row in !row.cells.contains { $0.text.lowercased().contains(wanted) } }
    }

    /// - Parameter column: beyond the last one, it is the first again.
    mutating func sort(by column: Int, isReversed: Bool) {
        let column = column % columns.count
        order = (column, isReversed)
        let isDescending = columns[column].isDescending != isReversed
        // What is the same stays in the order that it was told in.
        let places = rows.indices.sorted { a, b in
            let (first, second) = (rows[a].cells[column], rows[b].cells[column])
            if let x = first.number, let y = second.number {
                return x == y ? a < b : (x > y) == isDescending
            }
            return first.text == second.text ? a < b : (first.text > second.text) == isDescending
        }
        rows = places.map { rows[$0] }
    }

    // MARK: - As lines

    /// A number that is cut would be another one; of a text some letters have to be left.
    private func fits(_ column: Int, _ columnWidth: Int, in room: Int) -> Bool {
        column == 0 || columnWidth <= room || columns[column].isText && room >= 8
    }

    private func widths(_ width: Int) -> [Int] {
        let fixed = columns.reduce(0) { $0 + $1.width } + columns.count - 1
        let flexible = columns.count { $0.isFlexible }
        guard flexible > 0, width > fixed else { return columns.map(\.width) }
        let more = (width - fixed) / flexible
        return columns.map { $0.width + ($0.isFlexible ? more : 0) }
    }

    func heading(_ width: Int) -> TopLine {
        let widths = widths(width)
        var line = TopLine()
        for (index, column) in columns.enumerated() {
            guard fits(index, widths[index], in: width - line.width - 1) else { break }
            if index > 0 { line.add(" ", .heading) }
            let isDown = column.isDescending != order.isReversed
            let mark = index == order.column ? (isDown ? "v" : "^") : ""
            line.add(Self.fitted(column.name + mark, widths[index], column.isText), .heading)
        }
        return line.clipped(to: width)
    }

    func line(_ row: Row, _ width: Int) -> TopLine {
        let widths = widths(width)
        var line = TopLine()
        for (index, cell) in row.cells.enumerated() {
            guard fits(index, widths[index], in: width - line.width - 1) else { break }
            if index > 0 { line.add(" ") }
            line.add(Self.fitted(cell.text, widths[index], columns[index].isText), cell.style)
        }
        return line.clipped(to: width)
    }

    /// In so many cells: a text that is longer ends with a tilde.
    private static func fitted(_ text: String, _ width: Int, _ isText: Bool) -> String {
        let count = text.count
        if count > width {
            return isText && width > 1 ? text.prefix(width - 1) + "~" : String(text.prefix(width))
        }
        let space = String(repeating: " ", count: width - count)
        return isText ? text + space : space + text
    }
}
