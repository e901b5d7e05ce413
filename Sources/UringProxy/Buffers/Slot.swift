/// A place in a slab, by its index.
enum Slot {
    /// No slot: what a reference holds that refers to nothing.
    static var none: UInt32 { .max }

    /// Generations count this far before they begin again: 24 bits, what a token has room for.
    static var generationMask: UInt32 { 0xFF_FFFF }
}
