/// Texts below numbered parents, found by hash: hosts, and the segments below each node of the paths.
struct LabelTable: ~Copyable, Sendable {
    struct Label: BitwiseCopyable, Sendable {
        var parent: UInt32
        /// Of the table's texts.
        var text: ByteRange
        /// What is found; not `none`.
        var value: UInt32
        /// The half of the hash that does not choose the slot.
        var tag: UInt32 = 0
    }

    /// Nothing was found.
    static var none: UInt32 { .max }

    /// Open addressing; half of them are empty at least, so that also what is not there is found out soon.
    private let slots: FixedArray<Label>
    private let texts: FixedBytes
    private let slotMask: Int

    /// - Parameters:
    ///   - labels: no two with the same parent and text.
    ///   - seed: of the hashes that `find` is given.
    init(_ labels: [Label], texts: [UInt8], seed: UInt64, foldingCase: Bool) {
        self.texts = FixedBytes(texts)
        var count = 2
        while count < labels.count * 2 { count *= 2 }
        let mask = count - 1
        slotMask = mask
        let empty = Label(parent: 0, text: .empty, value: Self.none)
        var slots = [Label](repeating: empty, count: count)
        for label in labels {
            precondition(label.value != Self.none)
            let hash = ByteHash.hash(self.texts.view[label.text], seed: seed, foldingCase: foldingCase)
            let mixed = Self.mixed(hash, label.parent)
            var slot = Int(truncatingIfNeeded: mixed) & mask
            while slots[slot].value != Self.none { slot = (slot + 1) & mask }
            slots[slot] = label
            slots[slot].tag = UInt32(truncatingIfNeeded: mixed >> 32)
        }
        self.slots = FixedArray(slots)
    }

    var sizeBytes: Int { slots.sizeBytes + texts.sizeBytes }

    /// - Parameters:
    ///   - hash: of `text`, by `ByteHash` with the seed and folding that the table was made with.
    ///   - ignoringCase: where texts are hosts; the table holds them in lower case.
    @inline(__always)
    func find(_ text: ByteView, below parent: UInt32, hash: UInt64, ignoringCase: Bool) -> UInt32 {
        let mixed = Self.mixed(hash, parent)
        let tag = UInt32(truncatingIfNeeded: mixed >> 32)
        var slot = Int(truncatingIfNeeded: mixed) & slotMask
        while slots[slot].value != Self.none {
            if slots[slot].tag == tag && slots[slot].parent == parent {
                let own = texts.view[slots[slot].text]
                if own.equals(text) || ignoringCase && own.equalsIgnoringCase(text) {
                    return slots[slot].value
                }
            }
            slot = (slot &+ 1) & slotMask
        }
        return Self.none
    }

    @inline(__always)
    private static func mixed(_ hash: UInt64, _ parent: UInt32) -> UInt64 {
        ByteHash.mix(hash, UInt64(parent))
    }
}
