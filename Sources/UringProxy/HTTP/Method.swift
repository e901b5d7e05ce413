/// A request method (RFC 9110 §9). Case matters: "get" is another method than "GET".
enum Method: UInt8, BitwiseCopyable {
    case get, head, post, put, delete, connect, options, trace, patch
    /// One this proxy has no rule for, and forwards.
    case other

    static func lookup(_ name: ByteView) -> Method {
        switch name.count {
        case 3:
            if name.equals("GET") { return .get }
            if name.equals("PUT") { return .put }
        case 4:
            if name.equals("POST") { return .post }
            if name.equals("HEAD") { return .head }
        case 5:
            if name.equals("PATCH") { return .patch }
            if name.equals("TRACE") { return .trace }
        case 6:
            if name.equals("DELETE") { return .delete }
        case 7:
            if name.equals("OPTIONS") { return .options }
            if name.equals("CONNECT") { return .connect }
        default: break
        }
        return .other
    }

    /// RFC 9110 §9.2.1: asks for nothing but an answer.
    var isSafe: Bool {
        switch self {
        case .get, .head, .options, .trace: true
        case .post, .put, .delete, .connect, .patch, .other: false
        }
    }

    /// RFC 9110 §9.2.2: may be sent again when the answer got lost.
    var isIdempotent: Bool {
        switch self {
        case .get, .head, .options, .trace, .put, .delete: true
        case .post, .connect, .patch, .other: false
        }
    }
}
