/// The versions the HTTP/1 codec reads (RFC 9112 §2.3).
enum HTTPVersion: UInt8, BitwiseCopyable {
    case http10, http11
}
