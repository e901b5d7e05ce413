/// What an operation is, so that its completion is dispatched without a look-up.
enum OperationKind: UInt8, BitwiseCopyable {
    case accept, connect, receive, send
    /// A send that the kernel does without a copy; its slot is a `ZeroCopySend`'s.
    case zeroCopy
}

/// Names an operation in the SQE's `user_data`: kind (8 bits), generation (24), slot (32).
///
/// The top bit of the kind is the driver's own; a token made here never has it.
struct OperationToken: BitwiseCopyable, Equatable {
    let rawValue: UInt64

    @inline(__always)
    init(_ kind: OperationKind, slot: UInt32, generation: UInt32) {
        precondition(generation <= Slot.generationMask)
        rawValue = UInt64(kind.rawValue) << 56 | UInt64(generation) << 32 | UInt64(slot)
    }

    @inline(__always)
    init(rawValue: UInt64) { self.rawValue = rawValue }

    @inline(__always)
    var slot: UInt32 { UInt32(truncatingIfNeeded: rawValue) }
    @inline(__always)
    var generation: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) & Slot.generationMask }
    @inline(__always)
    var kind: OperationKind {
        switch rawValue >> 56 {
        case 0: .accept
        case 1: .connect
        case 2: .receive
        case 3: .send
        default: .zeroCopy
        }
    }
}
