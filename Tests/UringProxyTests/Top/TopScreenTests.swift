import Testing

@testable import UringProxy

@Suite struct TopScreenTests {
    private static let evil = "/a\u{1B}]0;title\u{7}\u{9B}31m\nb\u{202E}é\u{7F}"

    private func fixture() -> TopFixture {
        var fixture = TopFixture()
        fixture.exchanges = [
            ("0000000000000001", 75, "/slow/" + String(repeating: "x", count: 300)),
            ("0000000000000002", 3, Self.evil),
            ("0000000000000003", 0.25, "/quick"),
        ]
        fixture.clusters = ["app", "images", "a-cluster-with-a-name-that-is-longer-than-columns-are"]
        fixture.failures = ["connect_failed": 3]
        fixture.counters = ["requests_total": 10, "timeouts_upstream_total": 2]
        return fixture
    }

    private func picture() throws -> TopPicture {
        var fixture = fixture()
        var picture = TopPicture(try fixture.sample, at: 0)
        fixture.now += 1
        fixture.counters = ["requests_total": 130, "timeouts_upstream_total": 4]
        fixture.failures = ["connect_failed": 7]
        fixture.statuses = ["2xx": 100, "4xx": 5, "5xx": 4]
        fixture.durations = [10, 90, 109, 109, 109]
        picture.add(try fixture.sample, at: 1, least: 0.5)
        return picture
    }

    private func screen(_ palette: TopPalette = .text, problem: String = "") throws -> TopScreen {
        TopScreen(picture: try picture(), address: "127.0.0.1:9901", problem: problem, palette: palette)
    }

    @discardableResult
    private func press(_ state: inout TopState, _ screen: TopScreen, _ keys: TopKey...) -> TopState.Effect {
        var effect = TopState.Effect.none
        for key in keys {
            let body = screen.body(state, width: 80)
            effect = state.press(key, keys: body.keys, columns: body.columns, height: 18)
        }
        return effect
    }

    private func text(_ screen: TopScreen, _ state: inout TopState, _ width: Int = 120, _ height: Int = 40)
        -> String
    {
        screen.lines(&state, width: width, height: height).map(\.text).joined(separator: "\n")
    }

    @Test func noLineIsWiderThanTheScreen() throws {
        let pages: [[TopKey]] = [
            [], [.character("2")], [.character("2"), .enter], [.character("3")], [.character("3"), .enter],
            [.character("4")],
            [.character("5")], [.character("h")], [.character("/"), .character("a")],
        ]
        for isUnicode in [false, true] {
            let screen = try screen(
                TopPalette(colours: .ansi, isUnicode: isUnicode), problem: "nobody listens there")
            for keys in pages {
                var state = TopState(interval: 1)
                for key in keys { press(&state, screen, key) }
                for (width, height) in [(200, 60), (100, 30), (80, 24), (40, 10), (20, 5), (1, 2)] {
                    let lines = screen.lines(&state, width: width, height: height)
                    #expect(lines.count == height)
                    for line in lines {
                        #expect(line.width <= width, "\(width)x\(height) \(keys): \(line.text)")
                    }
                    for byte in lines.map(\.text).joined().utf8 where !isUnicode {
                        #expect(byte >= 0x20 && byte < 0x7F)
                    }
                }
            }
        }
    }

    @Test func whatPeersChoseIsNoCommand() throws {
        let screen = try screen(TopPalette(colours: .none, isUnicode: true))
        for keys in [[], [TopKey.character("3")], [.character("3"), .down, .enter]] {
            var state = TopState(interval: 1)
            for key in keys { press(&state, screen, key) }
            for line in screen.lines(&state, width: 200, height: 40) {
                let text = line.rendered(screen.palette)
                for scalar in text.unicodeScalars {
                    #expect(
                        scalar.value >= 0x20 && scalar.value != 0x7F && !(0x80..<0xA0).contains(scalar.value))
                    #expect(scalar != "\u{202E}")
                }
            }
        }
        var state = TopState(interval: 1)
        press(&state, screen, .character("3"), .down, .enter)
        #expect(text(screen, &state).contains(#"/a\u{1b}]0;title\u{7}\u{9b}31m\u{a}b\u{202e}\u{e9}\u{7f}"#))
        #expect(!TopReport(picture: try picture()).text.utf8.contains(0x1B))
    }

    @Test func theOverviewTellsAllOfIt() throws {
        var state = TopState(interval: 1)
        let text = text(try screen(), &state)
        let expected = [
            "uproxy 0.1.0  pid 100  up 1m41s  ready", "1 late", "CPU 10%", "mem 32.0 MiB", "fds 20/20.0k",
            "2 threads on io_uring", "requests    120/s", "2xx 100", "4xx 5", "5xx 4", "of latency",
            "connect_failed 4/s",
            "exchanging 3", "pooled 3", "3 under way", "forwarding 3", "turns 200/s", "completions/turn 2.5",
            "late 1",
            "1m15s", "the answer of 127.0.0.1:9000", "/slow/xxx", "127.0.0.1:8080", "1/2",
        ]
        for words in expected { #expect(text.contains(words), "\(words) in\n\(text)") }
    }

    @Test func aHangingExchangeIsSeenOnASmallScreen() throws {
        var state = TopState(interval: 1)
        press(&state, try screen(), .character("3"))
        let text = text(try screen(), &state, 40, 10)
        #expect(text.contains("1m15s forwarding"), "\(text)")
    }

    @Test func rowsAreSortedAndFiltered() throws {
        let screen = try screen()
        var state = TopState(interval: 1)
        press(&state, screen, .character("3"))
        func ages() -> [String] {
            screen.body(state, width: 160).lines.map { String($0.text.prefix(7)).filter { $0 != " " } }
        }
        #expect(ages() == ["1m15s", "3.0s", "0.2s"] || ages() == ["1m15s", "3.0s", "0.3s"])
        press(&state, screen, .character("r"))
        #expect(ages().last == "1m15s")
        press(&state, screen, .character("s"), .character("s"))
        #expect(state.order.column == 2)
        press(&state, screen, .character("/"), .character("Q"), .character("u"), .character("I"), .enter)
        #expect(screen.body(state, width: 160).keys == ["0000000000000003"])
        // Each page has its own.
        press(&state, screen, .character("2"))
        #expect(screen.body(state, width: 160).keys.count == 3)
        press(&state, screen, .character("3"), .escape)
        #expect(screen.body(state, width: 160).keys.count == 3)
        for _ in 0..<8 { press(&state, screen, .character("s")) }
        #expect(state.order.column == 2)
    }

    @Test func enterOpensWhatIsChosen() throws {
        let screen = try screen()
        var state = TopState(interval: 1)
        press(&state, screen, .character("2"), .character("s"), .character("s"), .end)
        let cluster = screen.body(state, width: 80).keys.last!
        press(&state, screen, .enter)
        #expect(state.page == .endpoints && state.cluster == cluster)
        #expect(text(screen, &state, 160).contains("for 9.5s: too many failures in a row"))
        press(&state, screen, .escape)
        #expect(state.page == .clusters)
        press(&state, screen, .character("3"), .down, .enter)
        #expect(state.exchange == "0000000000000002")
        #expect(text(screen, &state).contains("waits for   the answer of 127.0.0.1:9000"))
        press(&state, screen, .tab)
        #expect(state.page == .workers)
        press(&state, screen, .backTab, .left, .left, .left)
        #expect(state.page == .errors)
    }

    @Test func whatIsChosenStaysSoWhenOrderChanges() throws {
        let screen = try screen()
        var state = TopState(interval: 1)
        press(&state, screen, .character("3"), .down)
        var keys = screen.body(state, width: 80).keys
        #expect(state.place(keys: keys, lineCount: 3, height: 10).chosen == 1)
        keys.reverse()
        keys.insert("0000000000000009", at: 0)
        #expect(state.place(keys: keys, lineCount: 4, height: 10).chosen == 2)
        // It has ended: whoever is in its place.
        keys.removeAll { $0 == "0000000000000002" }
        #expect(state.place(keys: keys, lineCount: 3, height: 10).chosen == 2)
        #expect(state.place(keys: [keys[0]], lineCount: 1, height: 10).chosen == 0)
    }

    @Test func longTablesAreScrolled() {
        var state = TopState(interval: 1)
        let keys = (0..<100).map { "\($0)" }
        for key in [TopKey.character("3"), .end] { _ = state.press(key, keys: keys, columns: 3, height: 10) }
        #expect(state.place(keys: keys, lineCount: 100, height: 10) == (90, 99))
        _ = state.press(.pageUp, keys: keys, columns: 3, height: 10)
        #expect(state.place(keys: keys, lineCount: 100, height: 10) == (90, 90))
        _ = state.press(.up, keys: keys, columns: 3, height: 10)
        #expect(state.place(keys: keys, lineCount: 100, height: 10) == (89, 89))
        _ = state.press(.home, keys: keys, columns: 3, height: 10)
        #expect(state.place(keys: keys, lineCount: 100, height: 10) == (0, 0))
        // A text, beyond its end.
        _ = state.press(.character("1"), keys: [], columns: 0, height: 10)
        _ = state.press(.end, keys: [], columns: 0, height: 10)
        #expect(state.place(keys: [], lineCount: 25, height: 10).top == 15)
    }

    @Test func otherKeysSayWhatTheyDo() throws {
        let screen = try screen()
        var state = TopState(interval: 1)
        #expect(press(&state, screen, .character("p")) == .redraw)
        #expect(text(screen, &state).contains("paused"))
        press(&state, screen, .character("p"), .character("+"), .character("+"))
        #expect(state.interval == 5 && text(screen, &state).contains("every 5s"))
        press(&state, screen, .character("-"), .character("-"), .character("-"), .character("-"))
        #expect(state.interval == 0.5 && text(screen, &state).contains("every 500ms"))
        press(&state, screen, .character("t"))
        #expect(state.showsTunnels)
        press(&state, screen, .character("h"))
        #expect(text(screen, &state).contains("Enter        open"))
        press(&state, screen, .character("x"))
        #expect(!state.showsHelp)
        #expect(press(&state, screen, .character("x")) == .none)
        press(&state, screen, .character("/"), .character("q"))
        #expect(text(screen, &state).contains("filter: q_"))
        press(&state, screen, .backspace, .backspace)
        #expect(!state.isTyping)
        #expect(press(&state, screen, .character("q")) == .quit)
    }

    @Test func coloursAreWhatTheTerminalTakes() throws {
        var state = TopState(interval: 1)
        func rendered(_ colours: TopPalette.Colours) throws -> String {
            let palette = TopPalette(colours: colours, isUnicode: false)
            return try screen(palette).lines(&state, width: 100, height: 30).map { $0.rendered(palette) }
                .joined()
        }
        #expect(try !rendered(.none).contains("\u{1B}"))
        #expect(try rendered(.ansi).contains("\u{1B}[32m"))
        let monochrome = try rendered(.monochrome)
        for code in 30..<50 { #expect(!monochrome.contains("\(code)m") && !monochrome.contains("[\(code);")) }
        #expect(monochrome.contains("\u{1B}[7m"))
    }

    @Test func problemsAreTold() throws {
        var state = TopState(interval: 1)
        let problem = "nobody listens on 127.0.0.1:9901"
        #expect(text(try screen(problem: problem), &state, 80, 24).contains(problem))
        let unknown = TopScreen(picture: nil, address: "127.0.0.1:9901", problem: problem, palette: .text)
        #expect(text(unknown, &state, 80, 24).contains("nothing is known yet"))
    }

    @Test func theReportHasAllViews() throws {
        let text = TopReport(picture: try picture()).text
        for words in [
            "uproxy 0.1.0", "requests ", "LISTENER", "CLUSTER", "cluster images", "ENDPOINT", "WORKER",
            "CAUSE", "AGE",
            "0000000000000001", "timeouts_upstream_total",
        ] { #expect(text.contains(words), "\(words)") }
        for line in text.split(separator: "\n") { #expect(line.last != " ") }
    }

    @Test func numbersAreShort() {
        let durations: [(Double?, String)] = [
            (nil, "-"), (0, "0us"), (0.000085, "85us"), (0.0012, "1.20ms"), (0.0123, "12.3ms"),
            (0.25, "250ms"),
            (0.9996, "1.0s"), (12.34, "12.3s"), (75, "1m15s"), (3700, "1h1m"), (200_000, "2d7h"),
            (.infinity, ">60s"),
        ]
        for (value, text) in durations { #expect(TopText.duration(value) == text) }
        let amounts: [(Double, String)] = [
            (0, "0"), (1.25, "1.3"), (9.96, "10"), (123.4, "123"), (9999, "9999"), (12_345, "12.3k"),
            (999_960, "1.0M"),
            (1_500_000, "1.5M"), (2e9, "2.0G"), (1e18, "1000000T"),
        ]
        for (value, text) in amounts { #expect(TopText.amount(value) == text) }
        #expect(TopText.rate(nil) == "-" && TopText.rate(0.01) == "<0.1" && TopText.rate(0) == "0")
        #expect(
            TopText.bytes(1023) == "1023 B" && TopText.bytes(1024) == "1.0 KiB"
                && TopText.bytes(33_554_432) == "32.0 MiB")
        #expect(
            TopText.percent(0.015) == "1.5%" && TopText.percent(0.98) == "98%" && TopText.percent(nil) == "-")
        #expect(TopText.bars([0, 1, 4, 8], isUnicode: true) == " ▁▄█")
        #expect(TopText.bars([0, 8], isUnicode: false) == " @")
        #expect(TopText.bars([0, 0], isUnicode: false) == "  ")
        #expect(
            TopText.fixed(-0.04, 1) == "0.0" && TopText.fixed(-1.25, 2) == "-1.25"
                && TopText.fixed(1.05, 2) == "1.05")
    }

    @Test func keysAreReadFromBytes() {
        var reader = TopKeyReader()
        #expect(
            reader.read(Array("q1\r\t\u{7F}".utf8)) == [
                .character("q"), .character("1"), .enter, .tab, .backspace,
            ])
        #expect(
            reader.read(Array("\u{1B}[A\u{1B}OB\u{1B}[5~\u{1B}[6~\u{1B}[H\u{1B}[4~\u{1B}[Z".utf8)) == [
                .up, .down, .pageUp, .pageDown, .home, .end, .backTab,
            ])
        // Piece by piece.
        for byte in Array("\u{1B}[".utf8) { #expect(reader.read([byte]).isEmpty && reader.isWaiting) }
        #expect(reader.read([UInt8(ascii: "C")]) == [.right])
        #expect(!reader.isWaiting)
        #expect(reader.read([0x1B]).isEmpty)
        #expect(reader.flush() == [.escape])
        #expect(reader.read([0x1B, UInt8(ascii: "q")]) == [.escape, .character("q")])
        #expect(reader.read([0x1B, 0x1B]) == [.escape] && reader.flush() == [.escape])
        // Of keys that have no meaning nothing is left.
        #expect(reader.read(Array("\u{1B}[1;5Aj\u{1B}[15~\u{1}é".utf8)) == [.character("j")])
        #expect(
            reader.read([0x1B, 0x5B] + [UInt8](repeating: 0x31, count: 100)).allSatisfy {
                $0 == .character("1")
            })
    }
}
