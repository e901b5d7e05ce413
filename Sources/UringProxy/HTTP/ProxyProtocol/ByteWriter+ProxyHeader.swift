// Headers of the PROXY protocol as we write them.
extension ByteWriter {
    /// - Parameters:
    ///   - addresses: nil for a connection that has none, such as one over a unix socket.
    ///   - extensions: for version 2, and a connection with addresses.
    mutating func append(
        proxyHeader version: ProxyHeader.Version, _ addresses: AddressPair?,
        _ extensions: ProxyExtensions = ProxyExtensions()
    ) {
        switch version {
        case .v1: appendText(addresses)
        case .v2: appendBinary(addresses, extensions)
        }
    }

    /// Section 2.1.
    private mutating func appendText(_ addresses: AddressPair?) {
        guard let addresses else {
            append("PROXY UNKNOWN\r\n")
            return
        }
        append(addresses.isIPv4 ? "PROXY TCP4 " : "PROXY TCP6 ")
        append(addresses.source, mapped: !addresses.isIPv4)
        append(" ")
        append(addresses.destination, mapped: !addresses.isIPv4)
        append(" ")
        append(decimal: UInt64(addresses.sourcePort))
        append(" ")
        append(decimal: UInt64(addresses.destinationPort))
        append("\r\n")
    }

    /// - Parameter mapped: an IPv4 address stands beside one of IPv6 and has to be of the same family.
    private mutating func append(_ address: IPAddress, mapped: Bool) {
        if mapped && address.isIPv4 { append("::ffff:") }
        append(address)
    }

    /// Section 2.2.
    private mutating func appendBinary(_ addresses: AddressPair?, _ extensions: ProxyExtensions) {
        let start = count
        append(ProxyHeader.signature)
        guard let addresses else {
            // LOCAL and UNSPEC: every receiver has to take it, and uses the addresses of the connection. It drops what else there is.
            append(bigEndian: 0x2000_0000, size: 4)
            return
        }
        // Version and command, family and protocol, the length of what follows.
        append(bigEndian: addresses.isIPv4 ? 0x2111 : 0x2121, size: 2)
        append(bigEndian: UInt64((addresses.isIPv4 ? 12 : 36) + extensions.size), size: 2)
        append(addresses.source, whole: !addresses.isIPv4)
        append(addresses.destination, whole: !addresses.isIPv4)
        append(bigEndian: UInt64(addresses.sourcePort), size: 2)
        append(bigEndian: UInt64(addresses.destinationPort), size: 2)
        append(extensions, toHeaderAt: start)
    }

    private mutating func append(_ address: IPAddress, whole: Bool) {
        if whole { append(bigEndian: address.high, size: 8) }
        append(bigEndian: address.low, size: whole ? 8 : 4)
    }

    /// The last `size` bytes of a number, in the byte order of the network.
    mutating func append(bigEndian number: UInt64, size: Int) {
        for index in 1...size {
            append(byte: UInt8(truncatingIfNeeded: number >> UInt64(8 * (size - index))))
        }
    }
}

extension AddressPair {
    fileprivate var isIPv4: Bool { source.isIPv4 && destination.isIPv4 }
}
