/// Whom an exchange is counted for: numbers of the registry's, `none` where there is nobody.
struct ExchangeRows: BitwiseCopyable, Sendable {
    var listener = HistogramRegistry.RowNumber.none
    var route = HistogramRegistry.RowNumber.none
    var cluster = HistogramRegistry.RowNumber.none
    var endpoint = HistogramRegistry.RowNumber.none
}
