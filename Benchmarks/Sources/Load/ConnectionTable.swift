/// All connections of a run; they never move.
@safe struct ConnectionTable: ~Copyable {
    private let slots: UnsafeMutablePointer<Connection>
    let count: Int

    init(count: Int) {
        self.count = count
        unsafe slots = .allocate(capacity: count)
        unsafe slots.initialize(repeating: Connection(), count: count)
    }

    deinit { unsafe slots.deallocate() }

    subscript(index: Int) -> Connection {
        @inline(__always)
        unsafeAddress {
            precondition(index >= 0 && index < count)
            return unsafe UnsafePointer(slots + index)
        }
        @inline(__always)
        unsafeMutableAddress {
            precondition(index >= 0 && index < count)
            return unsafe slots + index
        }
    }
}
