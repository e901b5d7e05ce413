/// What the destination policy says.
enum DestinationVerdict: BitwiseCopyable, Equatable, Sendable {
    case allowed
    case denied(DestinationDenial)

    var isAllowed: Bool { self == .allowed }
}
