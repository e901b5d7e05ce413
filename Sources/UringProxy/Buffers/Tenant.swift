/// Whoever has a slot of a slab, its fields by their names; for the length of a handler.
///
/// Slots never move and are checked when the handle is made, so it leads to a slot of the slab as long as that lives. Like
/// an index, and unlike a token, it does not tell one tenant from the next.
@dynamicMemberLookup
@safe struct Tenant<Element: BitwiseCopyable>: BitwiseCopyable {
    private let address: UnsafeMutablePointer<Element>
    /// Its index in the slab.
    let slot: UInt32

    /// - Parameter address: of the slot, which lives as long as the handle.
    @inline(__always) @unsafe
    init(_ slot: UInt32, _ address: UnsafeMutablePointer<Element>) {
        unsafe self.address = address
        self.slot = slot
    }

    // Key paths that are known at the call become plain loads and stores (Swift 6.3, -O).

    @inline(__always)
    subscript<Value>(dynamicMember field: KeyPath<Element, Value>) -> Value {
        unsafe address.pointee[keyPath: field]
    }

    @inline(__always)
    subscript<Value>(dynamicMember field: WritableKeyPath<Element, Value>) -> Value {
        get { unsafe address.pointee[keyPath: field] }
        nonmutating _modify { yield unsafe &address.pointee[keyPath: field] }
    }
}
