/// What of a request something is chosen by (`HashKey`), as the hot path reads it; names are good as long as who keeps them.
enum RequestKey: BitwiseCopyable {
    case none, uri, source
    case header(ByteView)
    case cookie(ByteView)
}
