/// What can be wrong with one request, by kind.
enum Failure: Int, CaseIterable {
    /// The connection could not be made.
    case connect
    /// CONNECT was answered with something else than success.
    case tunnel
    /// The connection broke: ECONNRESET, EPIPE.
    case reset
    /// The peer ended the connection before the answer was complete.
    case closed
    /// No answer within `--timeout`.
    case timeout
    case status
    case length
    /// The answer is not HTTP/1.1.
    case parse
    /// The answer was complete before the request was.
    case early
    /// Bytes that nobody asked for.
    case excess

    var name: String { "\(self)" }
}
