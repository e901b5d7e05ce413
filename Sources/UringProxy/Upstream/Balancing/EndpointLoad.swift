/// What a worker knows of one endpoint when it chooses. Each worker decides by its own counts, so that nothing is shared.
struct EndpointLoad: BitwiseCopyable {
    /// At least 1.
    var weight: UInt32
    /// Exchanges of this worker under way here.
    var inFlight: UInt32 = 0
    /// What smooth round robin owes it.
    var credit: Int32 = 0
    var latency = PeakLatency()

    init(weight: UInt32) {
        precondition(weight > 0)
        self.weight = weight
    }
}

/// The endpoints of one cluster, in a worker's table that outlives this view.
@safe struct EndpointLoads: BitwiseCopyable {
    private let base: UnsafeMutablePointer<EndpointLoad>
    let count: Int

    @inline(__always) @unsafe
    init(base: UnsafeMutablePointer<EndpointLoad>, count: Int) {
        unsafe self.base = base
        self.count = count
    }

    @inline(__always)
    subscript(index: Int) -> EndpointLoad {
        unsafeAddress {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
            return unsafe UnsafePointer(base + index)
        }
        nonmutating unsafeMutableAddress {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
            return unsafe base + index
        }
    }
}
