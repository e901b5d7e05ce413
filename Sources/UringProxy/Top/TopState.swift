/// What of the samples is looked at, and how: what keys change.
struct TopState: Sendable {
    enum View: Int, CaseIterable, Sendable {
        case overview, clusters, exchanges, workers, errors

        var title: String {
            switch self {
            case .overview: "overview"
            case .clusters: "clusters"
            case .exchanges: "exchanges"
            case .workers: "workers"
            case .errors: "errors"
            }
        }
    }

    /// What fills the screen: a view, or what was opened in one.
    enum Page: Hashable, Sendable {
        case overview, clusters, endpoints, exchanges, exchange, workers, errors
    }

    enum Effect: Equatable { case redraw, quit, none }

    /// How often is asked, in seconds.
    static let intervals = [0.5, 1, 2, 5, 10, 30, 60]

    private(set) var view = View.overview
    /// The cluster whose endpoints are shown; nil: all clusters.
    private(set) var cluster: String?
    /// The exchange that is shown alone.
    private(set) var exchange: String?
    /// The filter is being typed.
    private(set) var isTyping = false
    private(set) var isPaused = false
    private(set) var showsTunnels = false
    private(set) var showsHelp = false
    var interval: Double
    private var filters: [Page: String] = [:]
    private var orders: [Page: (column: Int, isReversed: Bool)] = [:]
    /// The row that is chosen, by its key, and where it was when it was last seen.
    private var chosen: [Page: (key: String, index: Int)] = [:]
    /// The first line that is shown.
    private var tops: [Page: Int] = [:]

    init(interval: Double) { self.interval = interval }

    var page: Page {
        switch view {
        case .overview: .overview
        case .clusters: cluster == nil ? .clusters : .endpoints
        case .exchanges: exchange == nil ? .exchanges : .exchange
        case .workers: .workers
        case .errors: .errors
        }
    }

    /// What rows have to say to be shown; each page has its own.
    private(set) var filter: String {
        get { filters[page] ?? "" }
        set { filters[page] = newValue }
    }

    var order: (column: Int, isReversed: Bool) { orders[page] ?? (Self.order(of: page), false) }

    /// What of so many lines of the page is shown: the first one, and which row is chosen, if rows are.
    mutating func place(keys: [String], lineCount: Int, height: Int) -> (top: Int, chosen: Int?) {
        var top = tops[page] ?? 0
        var index: Int?
        if !keys.isEmpty {
            let last = chosen[page] ?? (keys[0], 0)
            let place = keys.firstIndex(of: last.key) ?? min(last.index, keys.count - 1)
            // Who has chosen nothing looks at the first row, whichever that is.
            if chosen[page] != nil { chosen[page] = (keys[place], place) }
            let at = chosen[page] == nil ? 0 : place
            index = at
            top = min(max(top, at - height + 1), at)
        }
        top = max(0, min(top, lineCount - height))
        tops[page] = top
        return (top, index)
    }

    // MARK: - Keys

    /// - Parameters:
    ///   - keys: of the rows that can be chosen, in their order.
    ///   - columns: of the table that is shown.
    ///   - height: how many lines of it are seen at once.
    mutating func press(_ key: TopKey, keys: [String], columns: Int, height: Int) -> Effect {
        if isTyping { return type(key) }
        if showsHelp, key != .character("q") {
            showsHelp = false
            return .redraw
        }
        switch key {
        case .character("q"): return .quit
        case .character("h"), .character("?"): showsHelp = true
        case .character(let digit) where "1"..."5" ~= digit:
            show(View(rawValue: digit.wholeNumberValue! - 1)!)
        case .tab, .right: turn(by: 1)
        case .backTab, .left: turn(by: -1)
        case .character("s"):
            guard columns > 0 else { return .none }
            orders[page] = ((order.column + 1) % columns, false)
        case .character("r"): orders[page] = (order.column, !order.isReversed)
        case .character("/"): isTyping = true
        case .character("t"): showsTunnels.toggle()
        case .character("p"), .character(" "): isPaused.toggle()
        case .character("+"), .character("="): interval = Self.intervals.first { $0 > interval } ?? interval
        case .character("-"): interval = Self.intervals.last { $0 < interval } ?? interval
        case .enter: open(keys)
        case .escape, .backspace: close()
        case .up, .character("k"): move(-1, keys)
        case .down, .character("j"): move(1, keys)
        case .pageUp: move(-max(1, height - 1), keys)
        case .pageDown: move(max(1, height - 1), keys)
        case .home: move(-1_000_000, keys)
        case .end: move(1_000_000, keys)
        case .character: return .none
        }
        return .redraw
    }

    private mutating func type(_ key: TopKey) -> Effect {
        switch key {
        case .character(let character): if filter.count < 60 { filter.append(character) }
        case .backspace: if filter.isEmpty { isTyping = false } else { filter.removeLast() }
        case .enter: isTyping = false
        case .escape: (isTyping, filter) = (false, "")
        case .tab, .backTab, .up, .down, .left, .right, .pageUp, .pageDown, .home, .end: return .none
        }
        return .redraw
    }

    /// By which column a page is in order, unless another one was asked for.
    static func order(of page: Page) -> Int {
        switch page {
        case .clusters, .endpoints, .errors: 1
        case .overview, .exchanges, .exchange, .workers: 0
        }
    }

    private mutating func show(_ new: View) {
        view = new
        (cluster, exchange) = (nil, nil)
    }

    private mutating func turn(by step: Int) {
        let count = View.allCases.count
        show(View(rawValue: (view.rawValue + step + count) % count)!)
    }

    private mutating func move(_ step: Int, _ keys: [String]) {
        guard !keys.isEmpty else {
            tops[page] = max(0, (tops[page] ?? 0) + step)
            return
        }
        let at = chosen[page].map { last in keys.firstIndex(of: last.key) ?? last.index } ?? 0
        let index = min(max(0, at + step), keys.count - 1)
        chosen[page] = (keys[index], index)
    }

    private mutating func open(_ keys: [String]) {
        guard !keys.isEmpty else { return }
        let at =
            chosen[page].map { last in keys.firstIndex(of: last.key) ?? min(last.index, keys.count - 1) } ?? 0
        switch page {
        case .clusters:
            cluster = keys[at]
            (chosen[.endpoints], filters[.endpoints]) = (nil, nil)
        case .exchanges: exchange = keys[at]
        case .overview, .endpoints, .exchange, .workers, .errors: return
        }
    }

    private mutating func close() {
        if cluster != nil || exchange != nil { (cluster, exchange) = (nil, nil) } else { filter = "" }
    }
}
