/// Room for bytes that are written anew each time. It grows when more is asked for.
@safe struct GrowingBytes: ~Copyable {
    private(set) var pointer: UnsafeMutablePointer<UInt8>
    private(set) var capacity: Int

    init(capacity: Int) {
        self.capacity = max(64, capacity)
        unsafe pointer = .allocate(capacity: self.capacity)
    }

    deinit { unsafe pointer.deallocate() }

    /// Makes room for `size` bytes; what was there is lost if there was less.
    @inline(__always)
    mutating func reserve(_ size: Int) {
        guard size > capacity else { return }
        unsafe pointer.deallocate()
        capacity = size
        unsafe pointer = .allocate(capacity: size)
    }
}
