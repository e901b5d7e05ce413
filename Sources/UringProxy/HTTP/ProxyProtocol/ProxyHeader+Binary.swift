// Version 2, a binary block (section 2.2).
extension ProxyHeader {
    static var signature: StaticString { "\r\n\r\n\0\r\nQUIT\n" }
    /// Signature, version and command, family and protocol, length of the rest.
    static var blockSize: Int { 16 }
    /// Of the extension that holds a checksum (section 2.2.3).
    private static var checksumType: UInt8 { 0x03 }

    /// nil: the block has not come whole.
    static func parseBinary(_ bytes: ByteView, limit: Int) throws(ProxyHeaderError) -> ProxyHeader? {
        guard bytes.agrees(with: signature) else { throw .notAHeader }
        guard bytes.count > 12 else { return nil }
        guard bytes[12] >> 4 == 2 else { throw .unsupportedVersion }
        guard bytes[12] & 15 <= 1 else { throw .unknownCommand }
        guard bytes.count > 13 else { return nil }
        // Of LOCAL all the rest is skipped, family included.
        let isLocal = bytes[12] & 15 == 0
        let family = bytes[13]
        let addressSize = isLocal ? 0 : try addressSize(family)
        guard bytes.count >= blockSize else { return nil }
        let length = bytes.word16(at: 14)
        let size = blockSize + length
        guard size <= limit else { throw .tooLarge }
        guard length >= addressSize else { throw .addressesCut }
        guard bytes.count >= size else { return nil }
        if isLocal { return ProxyHeader(size: size, subject: .local) }
        // Nobody says how long the addresses of a connection are of which nothing is known, so where extensions begin.
        if family == 0 { return ProxyHeader(size: size, subject: .unknown) }
        let header = bytes[0..<size]
        try checkExtensions(header, from: blockSize + addressSize)
        return ProxyHeader(size: size, subject: subject(header, family))
    }

    private static func addressSize(_ family: UInt8) throws(ProxyHeaderError) -> Int {
        switch family {
        case 0x00: 0
        case 0x11, 0x12: 2 * 4 + 4
        case 0x21, 0x22: 2 * 16 + 4
        case 0x31, 0x32: 2 * 108
        default: throw .unknownFamily
        }
    }

    /// Of a stream over IP what the block says; a datagram or a unix socket is none that HTTP came over.
    private static func subject(_ header: ByteView, _ family: UInt8) -> Subject {
        switch family {
        case 0x11:
            .relayed(
                AddressPair(
                    source: IPAddress(ipv4: header.word32(at: 16)),
                    destination: IPAddress(ipv4: header.word32(at: 20)),
                    sourcePort: UInt16(header.word16(at: 24)),
                    destinationPort: UInt16(header.word16(at: 26))))
        case 0x21:
            .relayed(
                AddressPair(
                    source: header.ipv6(at: 16), destination: header.ipv6(at: 32),
                    sourcePort: UInt16(header.word16(at: 48)),
                    destinationPort: UInt16(header.word16(at: 50))))
        default: .unknown
        }
    }

    /// Types and lengths that fill the header exactly, and the checksum if there is one.
    private static func checkExtensions(_ header: ByteView, from start: Int) throws(ProxyHeaderError) {
        var index = start
        var checksum: Int?
        while index < header.count {
            guard index + 3 <= header.count else { throw .malformedExtension }
            let value = index + 3
            let length = header.word16(at: index + 1)
            guard value + length <= header.count else { throw .malformedExtension }
            if header[index] == checksumType {
                // Two could not both be right: each is computed over the other.
                guard length == 4, checksum == nil else { throw .malformedExtension }
                checksum = value
            }
            index = value + length
        }
        guard let checksum else { return }
        var actual = Checksum32C()
        actual.add(header[0..<checksum])
        for _ in 0..<4 { actual.add(0) }
        actual.add(header.dropFirst(checksum + 4))
        guard actual.value == header.word32(at: checksum) else { throw .wrongChecksum }
    }
}

extension ByteView {
    /// 16 bits in the byte order of the network.
    fileprivate func word16(at index: Int) -> Int { Int(self[index]) << 8 | Int(self[index + 1]) }

    /// 32 bits in the byte order of the network.
    fileprivate func word32(at index: Int) -> UInt32 {
        UInt32(word16(at: index)) << 16 | UInt32(word16(at: index + 2))
    }

    fileprivate func ipv6(at index: Int) -> IPAddress {
        IPAddress(high: UInt64(bigEndian: word(at: index)), low: UInt64(bigEndian: word(at: index + 8)))
    }
}
