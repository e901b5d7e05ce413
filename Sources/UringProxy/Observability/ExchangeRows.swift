/// Whom an exchange is counted for: numbers of the registry's, `none` where there is nobody.
struct ExchangeRows: BitwiseCopyable, Sendable, Equatable {
    var listener = HistogramRegistry.RowNumber.none
    var route = HistogramRegistry.RowNumber.none
    var cluster = HistogramRegistry.RowNumber.none
    var endpoint = HistogramRegistry.RowNumber.none

    /// All four, two in each.
    @inline(__always)
    var words: (UInt64, UInt64) {
        (
            UInt64(listener.rawValue) | UInt64(route.rawValue) << 32,
            UInt64(cluster.rawValue) | UInt64(endpoint.rawValue) << 32
        )
    }
}
