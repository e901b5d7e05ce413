/// The scheme of a target URI.
enum Scheme: UInt8, BitwiseCopyable {
    case http, https, other
}
