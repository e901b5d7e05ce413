/// Why the resolver could not be set up.
enum ResolverError: Error, Equatable {
    case system(SystemCallError)
    /// - Parameter code: an `ARES_E…` number of ares.h.
    case library(code: Int32)
    case badServer(String)

    var message: String {
        switch self {
        case .system(let error): error.message
        case .library(let code): "c-ares failed with code \(code)"
        case .badServer(let text): "\"\(text)\" is no DNS server; give ADDRESS:PORT, for example 127.0.0.1:53"
        }
    }
}
