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

extension FieldTable {
    /// The index of the first line of a field; nil if there is none.
    ///
    /// - Parameters:
    ///   - id: the field's; `other` if it has none, and is found by its name.
    ///   - bytes: what the lines were parsed from.
    ///   - goesFurther: only lines that do not end at this hop.
    func first(_ id: FieldName, _ name: ByteView, in bytes: ByteView, goesFurther: Bool = false) -> Int? {
        for index in 0..<count where self[index].id == id && !(goesFurther && self[index].isHopByHop) {
            if id != .other || bytes[self[index].name].equalsIgnoringCase(name) { return index }
        }
        return nil
    }

    /// Takes out of a head, or of trailers, what an upstream may read as the field `name`: many make one variable of
    /// `X-User` and `X_User` (RFC 3875 §4.1.18). Rewriters pass over lines that end at this hop.
    ///
    /// - Parameter bytes: what the lines were parsed from.
    mutating func dropLikes(of name: ByteView, from bytes: ByteView) {
        for index in 0..<count where bytes[self[index].name].isLike(name) {
            self[index].isHopByHop = true
        }
    }
}

extension ByteView {
    /// Whether both are the same but for the case of letters, and underscores in the place of dashes.
    fileprivate func isLike(_ other: ByteView) -> Bool {
        guard count == other.count else { return false }
        func plain(_ byte: UInt8) -> UInt8 {
            byte == UInt8(ascii: "_") ? UInt8(ascii: "-") : byte.asciiLowercased
        }
        for index in 0..<count where plain(self[index]) != plain(other[index]) { return false }
        return true
    }
}
