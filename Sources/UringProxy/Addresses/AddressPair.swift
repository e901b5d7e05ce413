/// Both ends of a transport connection.
struct AddressPair: BitwiseCopyable, Equatable, Sendable {
    /// Who opened it.
    var source: IPAddress
    /// What it was opened to.
    var destination: IPAddress
    /// 0: not known.
    var sourcePort: UInt16
    var destinationPort: UInt16
}
