/// Why the engine could not start, as one sentence for the terminal.
public struct StartError: Error, Sendable {
    public let message: String
    /// The fault lies with the driver, and another driver may do.
    let isDriverFailure: Bool

    /// For what the program itself finds.
    public init(_ message: String) { self.init(message: message) }

    init(message: String, isDriverFailure: Bool = false) {
        self.message = message
        self.isDriverFailure = isDriverFailure
    }
}
