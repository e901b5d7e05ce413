/// Why the start of a connection is no header of the PROXY protocol.
enum ProxyHeaderError: UInt8, Error, BitwiseCopyable, Equatable {
    /// Neither version begins like this.
    case notAHeader
    // Version 1.
    case lineTooLong
    /// Words other than those of the grammar, more than one space between, or an end that is not CR LF.
    case malformedLine
    /// Not an address in standard form of the family that the line names.
    case malformedAddress
    /// Not 0 to 65535 in decimal digits without leading zeros.
    case malformedPort
    // Version 2.
    case unsupportedVersion, unknownCommand
    /// A combination of family and protocol that the specification does not list.
    case unknownFamily
    /// Longer than the limit.
    case tooLarge
    /// Shorter than the addresses of its family.
    case addressesCut
    /// An extension (TLV) that leaves the header, or that is not as long as its type.
    case malformedExtension
    case wrongChecksum
}
