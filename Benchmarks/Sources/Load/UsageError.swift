/// Why a command line means nothing.
struct UsageError: Error, Equatable {
    let message: String
    init(_ message: String) { self.message = message }
}
