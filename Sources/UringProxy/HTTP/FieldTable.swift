/// The field lines of one head, in the order received. Storage is fixed and used again for every head.
@safe struct FieldTable: ~Copyable {
    private let storage: UnsafeMutablePointer<FieldLine>
    let capacity: Int
    private(set) var count = 0

    /// - Parameter capacity: most field lines of a head; a head with more is refused.
    init(capacity: Int) {
        precondition(capacity > 0)
        self.capacity = capacity
        unsafe storage = .allocate(capacity: capacity)
    }

    deinit { unsafe storage.deallocate() }

    subscript(index: Int) -> FieldLine {
        @inline(__always) unsafeAddress {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
            return unsafe UnsafePointer(storage + index)
        }
        @inline(__always) unsafeMutableAddress {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
            return unsafe storage + index
        }
    }

    @inline(__always)
    mutating func removeAll() { count = 0 }

    /// Whether the line fitted.
    @inline(__always)
    mutating func append(_ line: FieldLine) -> Bool {
        guard count < capacity else { return false }
        unsafe storage[count] = line
        count &+= 1
        return true
    }
}
