/// All views as one text, for scripts and for reports of what went wrong.
struct TopReport {
    /// Nothing has to be cut for a screen; lines of a table stay beside each other.
    private static let width = 160

    let picture: TopPicture

    var text: String {
        var sections: [[TopLine]] = [[picture.header], picture.summary(.text)]
        func add(_ table: TopTable, by column: Int, _ title: String = "") {
            var table = table
            table.sort(by: column, isReversed: false)
            if table.rows.isEmpty { return }
            sections.append(
                (title.isEmpty ? [] : [TopLine(title)]) + [table.heading(Self.width)]
                    + table.rows.map { table.line($0, Self.width) })
        }
        add(picture.exchanges, by: TopState.order(of: .exchanges))
        add(picture.listeners, by: 1)
        add(picture.clusters, by: TopState.order(of: .clusters))
        for cluster in picture.sample.clusters {
            add(
                picture.endpoints(of: cluster.name), by: TopState.order(of: .endpoints),
                "cluster \(cluster.name)")
        }
        add(picture.workers, by: TopState.order(of: .workers))
        add(picture.errors, by: TopState.order(of: .errors))
        return sections.map { lines in
            lines.map { line in
                var text = line.text
                while text.last == " " { text.removeLast() }
                return text + "\n"
            }.joined()
        }.joined(separator: "\n")
    }
}
