/// What a parser made of the bytes it was given.
enum ParseStatus: Equatable, BitwiseCopyable {
    case complete
    /// A message may begin like this; come again with more bytes.
    case incomplete
    /// Whatever follows, this is no message we take.
    case invalid(HeadError)
}
