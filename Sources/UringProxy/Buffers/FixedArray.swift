/// Values of a trivial type that never change: reading them counts no references, as reading an array does, and views of
/// bytes are good as long as their owner.
@safe struct FixedArray<Element: BitwiseCopyable>: ~Copyable {
    private let base: UnsafeMutablePointer<Element>
    let count: Int

    init(_ elements: [Element]) {
        count = elements.count
        unsafe base = .allocate(capacity: max(1, elements.count))
        for index in elements.indices { unsafe (base + index).initialize(to: elements[index]) }
    }

    deinit { unsafe base.deallocate() }

    subscript(index: Int) -> Element {
        @inline(__always) unsafeAddress {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
            return unsafe UnsafePointer(base + index)
        }
    }

    var sizeBytes: Int { count * MemoryLayout<Element>.stride }
}

// Nothing is written once it is made.
extension FixedArray: @unchecked Sendable where Element: Sendable {}

typealias FixedBytes = FixedArray<UInt8>

extension FixedArray where Element == UInt8 {
    @inline(__always)
    var view: ByteView { unsafe ByteView(base: UnsafePointer(base), count: count) }
}
