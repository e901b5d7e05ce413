/// A cluster that a share of a route's requests is copied to.
struct RouteMirror: BitwiseCopyable, Sendable {
    /// By its index.
    let cluster: Int32
    /// Of 2^32 points those that are copied.
    private let points: UInt64

    /// - Parameter percent: 0 to 100.
    init(cluster: Int, percent: Int) {
        self.cluster = Int32(cluster)
        points = UInt64(percent) << 32 / 100
    }

    /// Whether the request for which `point` was drawn is copied.
    func takes(_ point: UInt32) -> Bool { UInt64(point) < points }
}
