internal import CPosix

/// Asks the admin listener of a running process.
public struct AdminClient {
    /// More than the process takes until it says that a worker is late.
    private static let patience = Nanoseconds.seconds(60)

    let address: SocketAddress
    let token: AdminToken?

    /// - Parameters:
    ///   - address: `HOST:PORT` or `unix:PATH`.
    ///   - tokenFile: where the token stands that has to be known there; nil: none has to.
    public init(address text: String, tokenFile: String? = nil) throws(StartError) {
        token = try tokenFile.map { path throws(StartError) in try AdminToken(reading: path) }
        do throws(SocketAddressError) { address = try SocketAddress(parsing: text) } catch {
            throw StartError(message: "--admin: \(error.message)")
        }
    }

    /// Lets the process read its configuration again.
    public func reload() throws(StartError) -> ReloadOutcome {
        let (status, body) = try ask("/reload", method: "POST")
        return ReloadOutcome(isDone: status == 200, lines: Self.lines(body))
    }

    /// What becomes of a request there.
    public func explain(_ query: ExplanationQuery) throws(StartError) -> String {
        let (status, body) = try ask("/explain?\(query.text)")
        let text = Self.lines(body).joined(separator: "\n")
        guard status == 200 else { throw StartError(message: text) }
        return text
    }

    /// A dump of its flight recorder.
    ///
    /// - Parameter sizeLimit: in bytes.
    func flightRecorder(sizeLimit: Int) throws(StartError) -> [UInt8] {
        let (status, body) = try ask("/flight-recorder", sizeLimit: sizeLimit)
        guard status == 200 else {
            throw StartError(message: "\(address): \(Self.lines(body).joined(separator: " "))")
        }
        return body
    }

    private static func lines(_ body: [UInt8]) -> [String] {
        String(decoding: body, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
    }

    private func ask(
        _ target: String, method: String = "GET", sizeLimit: Int = AdminFetch.usualLimit
    ) throws(StartError) -> (status: Int, body: [UInt8]) {
        let deadline = cposix_monotonic_nanoseconds() + Self.patience.rawValue
        let fetch = AdminFetch(self, method: method, target: target, sizeLimit: sizeLimit)
        while true {
            switch fetch.goOn() {
            case .answered(let status, let body): return (status, body)
            case .failed(let why): throw StartError(message: why)
            case nil:
                let events = Int16(fetch.isWriting ? POLLOUT : POLLIN)
                guard cposix_await_until(fetch.descriptor, events, deadline) == 1 else {
                    throw StartError(message: "\(address) does not answer")
                }
            }
        }
    }
}
