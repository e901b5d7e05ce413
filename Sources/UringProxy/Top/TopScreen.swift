/// The screen as lines: who is looked at, the page that is open, and which keys there are.
struct TopScreen {
    let picture: TopPicture?
    /// Whom is asked.
    let address: String
    /// Why the last question was not answered; empty: it was.
    let problem: String
    let palette: TopPalette

    /// What is between the lines at the top and the one at the bottom.
    struct Body {
        /// It stays where it is, whatever is scrolled.
        var heading: [TopLine] = []
        var lines: [TopLine] = []
        /// Of rows that can be chosen, as many as lines; none: it is a text.
        var keys: [String] = []
        /// Of the table that can be sorted.
        var columns = 0
    }

    /// As many lines as the screen has, none of them longer than it is wide.
    func lines(_ state: inout TopState, width: Int, height: Int) -> [TopLine] {
        let top = top(state)
        let body = body(state, width: width)
        let room = Self.room(height, heading: body.heading.count)
        let place = state.place(keys: body.keys, lineCount: body.lines.count, height: max(1, room))
        var lines = top + body.heading
        for index in place.top..<min(body.lines.count, place.top + max(0, room)) {
            // It has to be seen over all of its width, cut or not.
            guard index == place.chosen else {
                lines.append(body.lines[index])
                continue
            }
            var line = body.lines[index]
            line.pad(to: width)
            lines.append(line.styled(.selected))
        }
        lines = Array(lines.prefix(height - 1))
        while lines.count < height - 1 { lines.append(TopLine()) }
        lines.append(bottom(state, count: body.lines.count, place.top, room))
        return lines.map { $0.clipped(to: width) }
    }

    /// How many lines of a page are seen at once.
    static func room(_ height: Int, heading: Int) -> Int { height - 4 - heading }

    // MARK: - Top and bottom

    private func top(_ state: TopState) -> [TopLine] {
        var tabs = TopLine()
        for view in TopState.View.allCases {
            tabs.add(" \(view.rawValue + 1) \(view.title) ", view == state.view ? .selected : .plain)
        }
        var notice = TopLine()
        if !problem.isEmpty {
            notice.add(problem, .bad)
        } else if let news = picture?.news, !news.isEmpty {
            notice.add(news, .warning)
        }
        return [picture?.header ?? TopLine("uproxy at \(address)", .strong), tabs, notice]
    }

    private func bottom(_ state: TopState, count: Int, _ top: Int, _ room: Int) -> TopLine {
        if state.isTyping {
            return TopLine("filter: \(state.filter)_  Enter: keep it, Esc: without", .strong)
        }
        var line = TopLine("q quit  h help  ", .faint)
        if state.isPaused {
            line.add("paused  ", .warning)
        } else {
            line.add("every \(Self.seconds(state.interval))  ", .faint)
        }
        if !state.filter.isEmpty { line.add("filter: \(state.filter)  ", .warning) }
        if state.showsTunnels { line.add("with tunnels  ", .faint) }
        if count > room && room > 0 { line.add("\(top + 1)-\(min(count, top + room)) of \(count)  ", .faint) }
        line.add(address, .faint)
        return line
    }

    private static func seconds(_ value: Double) -> String {
        value < 1
            ? "\(TopText.fixed(value * 1000, 0))ms"
            : "\(TopText.fixed(value, value == value.rounded() ? 0 : 1))s"
    }

    // MARK: - Pages

    func body(_ state: TopState, width: Int) -> Body {
        if state.showsHelp { return Body(lines: Self.help.map { TopLine($0) }) }
        guard let picture else { return Body(lines: [TopLine("nothing is known yet")]) }
        switch state.page {
        case .overview: return Body(lines: overview(picture, state, width))
        case .clusters: return body(picture.clusters, state, width)
        case .endpoints:
            let name = state.cluster ?? ""
            let cluster = picture.sample.clusters.first { $0.name == name }
            let title =
                cluster.map {
                    "cluster \(name), \($0.balance), \(TopText.amount($0.queued)) queued; Esc: all clusters"
                }
                ?? "there is no cluster \(name) any more; Esc: all clusters"
            var body = body(picture.endpoints(of: name), state, width)
            body.heading.insert(TopLine(title, .strong), at: 0)
            return body
        case .exchanges:
            var body = body(picture.exchanges, state, width)
            if body.lines.isEmpty && state.filter.isEmpty {
                body.lines = [
                    TopLine(
                        state.showsTunnels ? "none is under way" : "none is under way but tunnels, if any (t)"
                    )
                ]
            }
            return body
        case .exchange: return Body(lines: exchange(picture, state.exchange ?? ""))
        case .workers: return body(picture.workers, state, width)
        case .errors:
            var body = body(picture.errors, state, width)
            if body.lines.isEmpty && state.filter.isEmpty {
                body.lines = [TopLine("nothing has gone wrong yet")]
            }
            return body
        }
    }

    private func body(_ table: TopTable, _ state: TopState, _ width: Int) -> Body {
        var table = table
        table.filter(state.filter)
        table.sort(by: state.order.column, isReversed: state.order.isReversed)
        return Body(
            heading: [table.heading(width)], lines: table.rows.map { table.line($0, width) },
            keys: table.rows.map(\.key), columns: table.columns.count)
    }

    /// The process as a whole, what is slow now, and where.
    private func overview(_ picture: TopPicture, _ state: TopState, _ width: Int) -> [TopLine] {
        func section(_ table: TopTable, by column: Int, most: Int) -> [TopLine] {
            var table = table
            table.filter(state.filter)
            table.sort(by: column, isReversed: state.order.isReversed)
            if table.rows.isEmpty { return [] }
            return [table.heading(width)] + table.rows.prefix(most).map { table.line($0, width) }
        }
        return picture.summary(palette) + section(picture.exchanges, by: 0, most: 5)
            + section(picture.clusters, by: 1, most: 10) + section(picture.listeners, by: 1, most: 10)
    }

    /// All that is known of one exchange.
    private func exchange(_ picture: TopPicture, _ key: String) -> [TopLine] {
        guard let exchange = picture.sample.exchanges.first(where: { $0.id == key }) else {
            return [TopLine("exchange \(key) has ended, or has no id; Esc: all exchanges", .strong)]
        }
        var stage = exchange.stage
        if !stage.isEmpty { stage += ", for \(TopText.age(exchange.stageAge))" }
        let facts = [
            ("id", exchange.id), ("age", TopText.age(exchange.age)), ("state", exchange.state),
            ("waits for", exchange.waitsFor), ("stage", stage), ("kind", exchange.kind),
            ("protocol", exchange.version), ("method", exchange.method), ("host", exchange.host),
            ("path", exchange.path), ("client", exchange.client), ("listener", exchange.listener),
            ("route", exchange.route), ("cluster", exchange.cluster), ("endpoint", exchange.endpoint),
            ("attempts", "\(exchange.attempts)"), ("request", TopText.bytes(exchange.requestBytes)),
            ("worker", "\(exchange.worker)"),
        ]
        return facts.filter { !$0.1.isEmpty }.map { name, value in
            var line = TopLine(name, .strong)
            line.pad(to: 12)
            line.add(value)
            return line
        }
    }

    private static let help = [
        "1-5, Tab     overview, clusters, exchanges, workers, errors",
        "arrows       choose a row, or scroll; also j and k, page keys, Home, End",
        "Enter        open: endpoints of a cluster, all about an exchange",
        "Esc          back; then: without the filter",
        "s, r         sort by the next column; the other way round",
        "/            show rows with a text alone",
        "t            tunnels among the exchanges, or not",
        "p            pause",
        "+, -         ask less often, more often",
        "q, Ctrl-C    end",
        "",
        "Rates and latencies are of the last interval. ERR/S: answers of 5xx,",
        "and none. ADD.: what the proxy added. WAIT: for the endpoint, a mean.",
        "C/TURN: completions in a turn of a worker; late: it took none for 500 ms.",
    ]
}
