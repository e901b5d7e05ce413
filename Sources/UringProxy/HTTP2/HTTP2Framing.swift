/// How a body that came in DATA frames is framed where HTTP/1.1 has it.
enum HTTP2Framing: BitwiseCopyable {
    /// Nothing follows.
    case none
    /// A Content-Length tells how much.
    case length
    /// Its chunks are put on.
    case chunked
    /// What follows is a tunnel's.
    case tunnel
}
