/// What a connection has to do with pipes, beside `Connection`, which most of the time has nothing to do with any: that is
/// what all zeros mean.
struct SpliceState: BitwiseCopyable {
    // As a target.
    /// What is to be sent behind the connection's output.
    var pipe = PipeID.none
    var pipeBytes: UInt32 = 0
    /// The send under way is out of `pipe`.
    var sendsFromPipe = false
    /// The pipe's bytes have to be copied out of it.
    var pipeIsRead = false

    // As a source.
    /// What is received goes into the pipe of the connection it is sent to.
    var splices = false
    /// Splicing was refused in this exchange.
    var isRefused = false
    /// There was no pipe for this exchange when one was wanted; counted once.
    var lacksPipe = false
    /// The last body that came on it was worth a pipe, so the next one may be: it is to stay in the socket until its head
    /// is known.
    var expectsLong = false
    /// Receives into a pipe in a row that brought little.
    var smallSplices: UInt8 = 0
    /// From how many of its bytes on the stream may be spliced.
    var splicesFrom: UInt32 = 0

    /// Whether there is something that an exchange's end ends.
    var isExchanges: Bool { splices || isRefused || lacksPipe || splicesFrom > 0 || smallSplices > 0 }

    /// Whether there is anything that the next connection in the slot must not find.
    var isUsed: Bool { isExchanges || sendsFromPipe || expectsLong }

    mutating func exchangeEnded() {
        splices = false
        isRefused = false
        lacksPipe = false
        splicesFrom = 0
        smallSplices = 0
    }
}
