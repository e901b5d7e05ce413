/// A look at a running process that goes on: asks its admin listener again and again, takes keys, and makes a screen of it. It owns no
/// terminal and never waits; whoever has the terminal waits, and tells what has come.
public final class TopSession {
    /// Longer than the admin listener waits for workers that are late.
    private static let patience: Int64 = 5_000_000_000
    /// After so long an ESC is a key, and not the beginning of another one.
    private static let escapeDelay: Int64 = 50_000_000
    private static let mostExchanges = 200
    public static let intervals = Nanoseconds.milliseconds(100)...Nanoseconds.seconds(3600)

    private let client: AdminClient
    private let address: String
    private let palette: TopPalette
    private var state: TopState
    private var keys = TopKeyReader()
    private var picture: TopPicture?
    /// Why the last question was not answered; empty: it was.
    public private(set) var problem = ""
    public private(set) var isDone = false
    /// Something is known of the process.
    public var isKnown: Bool { picture != nil }
    /// And what it did in an interval.
    public var hasRates: Bool { picture?.interval != nil }

    private var fetch: AdminFetch?
    private var askedAt: Int64
    private var nextAskAt: Int64
    private var typedAt: Int64 = 0
    /// Of the last frame.
    private var size: (width: Int, height: Int) = (80, 24)

    /// - Parameters:
    ///   - interval: what rates are of.
    ///   - now: nanoseconds of the monotonic clock, as everywhere here.
    public init(_ client: AdminClient, interval: Nanoseconds, palette: TopPalette, now: Int64) {
        self.client = client
        address = client.address.description
        self.palette = palette
        state = TopState(interval: Double(interval.rawValue) / 1e9)
        (askedAt, nextAskAt) = (now, now)
    }

    // MARK: - What to wait for

    /// What the answer comes on; -1: nothing is asked.
    public var descriptor: Int32 { fetch?.descriptor ?? -1 }
    public var isWriting: Bool { fetch?.isWriting ?? false }

    /// When `goOn` has something to do, whatever comes until then; `.max`: never.
    public var nextAt: Int64 {
        let next = fetch != nil ? askedAt + Self.patience : state.isPaused ? .max : nextAskAt
        return keys.isWaiting ? min(next, typedAt + Self.escapeDelay) : next
    }

    /// Does what is due, and takes what has come of the answer.
    ///
    /// - Returns: whether the screen may have changed.
    public func goOn(_ now: Int64) -> Bool {
        var isNews = false
        if keys.isWaiting, now >= typedAt + Self.escapeDelay {
            press(keys.flush())
            isNews = true
        }
        if fetch == nil, !state.isPaused, now >= nextAskAt { ask(now) }
        guard let fetch else { return isNews }
        if let outcome = fetch.goOn() {
            took(outcome, now)
        } else if now >= askedAt + Self.patience {
            took(.failed("\(address) does not answer"), now)
        } else {
            return isNews
        }
        return true
    }

    /// Nanoseconds between two questions. Rates are of an interval, but a second is to be enough to see what hangs: of short ones each
    /// has two.
    private var period: Int64 { Int64(state.interval * (state.interval > 1 ? 1e9 : 0.5e9)) }

    private func ask(_ now: Int64) {
        let isShort = state.view == .overview
        let count = isShort ? 20 : Self.mostExchanges
        fetch = AdminFetch(
            client, target: "/api/v1/overview?exchanges=\(count)&tunnels=\(state.showsTunnels)")
        askedAt = now
        nextAskAt = now + period
    }

    private func took(_ outcome: AdminFetch.Outcome, _ now: Int64) {
        fetch = nil
        switch read(outcome) {
        case .success(let sample):
            problem = ""
            let seconds = Double(now) / 1e9
            if picture == nil {
                picture = TopPicture(sample, at: seconds)
            } else {
                picture?.add(sample, at: seconds, least: state.interval * 0.75)
            }
        case .failure(let error): problem = error.message
        }
    }

    private func read(_ outcome: AdminFetch.Outcome) -> Result<TopSample, StartError> {
        func failure(_ message: String) -> Result<TopSample, StartError> { .failure(StartError(message)) }
        switch outcome {
        case .failed(let message): return failure(message)
        case .answered(401, _):
            return failure(
                client.token == nil
                    ? "\(address) wants a token: give --admin-token-file FILE, or --config FILE with admin.token_file"
                    : "\(address) does not take this token: is it the one of the running process?")
        case .answered(200, let body):
            do throws(JSONValue.Problem) {
                guard let sample = TopSample(try JSONValue(parsing: body)) else { break }
                return .success(sample)
            } catch {
                return failure(
                    "what listens on \(address) is no admin listener of uproxy's: byte \(error.offset) of its answer is not JSON's: \(error.message)"
                )
            }
        case .answered(404, _):
            return failure(
                "what listens on \(address) is no admin listener, or of a uproxy without /api/v1")
        case .answered(let status, _): return failure("\(address) answers with status \(status)")
        }
        return failure("what listens on \(address) is no admin listener of uproxy's")
    }

    // MARK: - Keys

    /// What was typed.
    public func typed(_ bytes: [UInt8], now: Int64) {
        typedAt = now
        press(keys.read(bytes))
    }

    private func press(_ pressed: [TopKey]) {
        for key in pressed where !isDone {
            let interval = state.interval
            let body = screen.body(state, width: size.width)
            let room = TopScreen.room(size.height, heading: body.heading.count)
            let effect = state.press(key, keys: body.keys, columns: body.columns, height: max(1, room))
            if effect == .quit { isDone = true }
            // A shorter one begins now.
            if state.interval != interval {
                nextAskAt = min(nextAskAt, askedAt + period)
            }
        }
    }

    // MARK: - What is seen

    private var screen: TopScreen {
        TopScreen(picture: picture, address: address, problem: problem, palette: palette)
    }

    /// A line for each of the screen's, as the terminal takes it; none is wider than it.
    public func frame(width: Int, height: Int) -> [String] {
        size = (max(1, width), max(2, height))
        return screen.lines(&state, width: size.width, height: size.height).map { $0.rendered(palette) }
    }

    /// All views as one text; nil: there is no sample.
    public var report: String? { picture.map { TopReport(picture: $0).text } }
}
