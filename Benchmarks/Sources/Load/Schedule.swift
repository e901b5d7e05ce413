/// When requests of an open loop are due: one after the other at a constant rate, whatever becomes of them. What is
/// overdue needs no queue, for the number of a request tells its time.
struct Schedule {
    let start: Int64
    /// Requests per second.
    let rate: Double
    let total: Int

    /// When request number `index` is due; nil behind the last.
    func time(of index: Int) -> Int64? { index < total ? start + Int64(Double(index) * 1e9 / rate) : nil }
}
