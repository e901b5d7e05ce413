/// Bytes that never change, for views that are good as long as their owner: reading them counts no references, as reading
/// an array does.
@safe struct FixedBytes: ~Copyable {
    private let base: UnsafeMutablePointer<UInt8>
    private let count: Int

    init(_ bytes: [UInt8]) {
        count = bytes.count
        unsafe base = .allocate(capacity: max(1, bytes.count))
        for index in bytes.indices { unsafe (base + index).initialize(to: bytes[index]) }
    }

    deinit { unsafe base.deallocate() }

    @inline(__always)
    var view: ByteView { unsafe ByteView(base: UnsafePointer(base), count: count) }
}
