import Testing

@testable import UringProxy

@Suite("ProxyHeader")
struct ProxyHeaderTests {
    private static let limit = 4096
    private static let signature: [UInt8] = [
        0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
    ]
    private static let ipv4: [UInt8] = [192, 168, 0, 1, 192, 168, 0, 11, 0xDC, 0x04, 0x01, 0xBB]
    private static let ipv6: [UInt8] =
        [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1]
        + [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [2] + [0, 0, 0xFF, 0xFF]

    private static func pair(_ source: String, _ destination: String, _ from: UInt16, _ to: UInt16)
        -> AddressPair
    {
        AddressPair(
            source: IPAddress(source)!, destination: IPAddress(destination)!, sourcePort: from,
            destinationPort: to)
    }

    /// A block of version 2.
    private static func block(_ command: UInt8, _ family: UInt8, _ rest: [UInt8], length: Int? = nil)
        -> [UInt8]
    {
        let length = length ?? rest.count
        return signature + [command, family, UInt8(length >> 8), UInt8(length & 0xFF)] + rest
    }

    /// With a checksum behind everything else.
    private static func checked(_ header: [UInt8], wrong: Bool = false) -> [UInt8] {
        var header = header + [0x03, 0, 4, 0, 0, 0, 0]
        let length = header.count - 16
        header[14] = UInt8(length >> 8)
        header[15] = UInt8(length & 0xFF)
        var sum = Checksum32C()
        for byte in header { sum.add(byte) }
        let value = wrong ? sum.value ^ 1 : sum.value
        for index in 0..<4 {
            header[header.count - 4 + index] = UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * index))
        }
        return header
    }

    private func parse(_ bytes: [UInt8], limit: Int = ProxyHeaderTests.limit) -> ProxyHeader.Verdict {
        HTTPSupport.withView(bytes) { ProxyHeader.parse($0, limit: limit) }
    }

    // MARK: - What is taken

    private static let valid: [(String, [UInt8], ProxyHeader.Subject)] = {
        let v4 = pair("192.168.0.1", "192.168.0.11", 56324, 443)
        let v6 = pair("2001:db8::1", "2001:db8::2", 0, 65535)
        let unix = [UInt8](repeating: 0x2F, count: 216)
        func line(_ text: String) -> [UInt8] { Array(text.utf8) }
        let longest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
        return [
            // The specification's own example (section 2.1).
            ("v1", line("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n"), .relayed(v4)),
            (
                "v1 longest of IPv4", line("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
                .relayed(pair("255.255.255.255", "255.255.255.255", 65535, 65535))
            ),
            ("v1 IPv6", line("PROXY TCP6 2001:DB8::1 2001:db8:0::2 0 65535\r\n"), .relayed(v6)),
            (
                "v1 longest of IPv6", line("PROXY TCP6 \(longest) \(longest) 65535 65535\r\n"),
                .relayed(pair(longest, longest, 65535, 65535))
            ),
            (
                "v1 mapped", line("PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 0 65535\r\n"),
                .relayed(pair("192.0.2.1", "2001:db8::2", 0, 65535))
            ),
            ("v1 unknown", line("PROXY UNKNOWN\r\n"), .unknown),
            ("v1 unknown with a space", line("PROXY UNKNOWN \r\n"), .unknown),
            ("v1 unknown, longest", line("PROXY UNKNOWN \(longest) \(longest) 65535 65535\r\n"), .unknown),
            ("v1 unknown, anything", line("PROXY UNKNOWN \t\0 whatever  \u{7F}\r\n"), .unknown),
            ("v2 IPv4", block(0x21, 0x11, ipv4), .relayed(v4)),
            ("v2 IPv6", block(0x21, 0x21, ipv6), .relayed(v6)),
            ("v2 local", block(0x20, 0x00, []), .local),
            ("v2 local, any family", block(0x20, 0xFF, [1, 2, 3]), .local),
            ("v2 local of IPv4", block(0x20, 0x11, ipv4), .local),
            ("v2 unspecified", block(0x21, 0x00, []), .unknown),
            ("v2 unspecified with more", block(0x21, 0x00, [9, 9, 9]), .unknown),
            ("v2 datagrams", block(0x21, 0x12, ipv4), .unknown),
            ("v2 datagrams of IPv6", block(0x21, 0x22, ipv6), .unknown),
            ("v2 unix", block(0x21, 0x31, unix), .unknown),
            ("v2 unix datagrams", block(0x21, 0x32, unix), .unknown),
            (
                "v2 with extensions",
                block(0x21, 0x11, ipv4 + [0x04, 0, 0, 0x02, 0, 2, 0x61, 0x62, 0xEA, 0, 1, 0]), .relayed(v4)
            ),
            ("v2 with a checksum", checked(block(0x21, 0x11, ipv4)), .relayed(v4)),
            (
                "v2 with a checksum and more", checked(block(0x21, 0x21, ipv6 + [0x04, 0, 2, 1, 2])),
                .relayed(v6)
            ),
            (
                "v2 at the limit",
                block(0x21, 0x11, ipv4 + [0x04, 0x0F, 0xE1] + [UInt8](repeating: 7, count: 4065)),
                .relayed(v4)
            ),
        ]
    }()

    @Test(
        "Headers of both versions are read, whatever stands behind them, and no earlier than they are whole")
    func valid() {
        var wrong: [String] = []
        for (name, bytes, subject) in Self.valid {
            let whole = ProxyHeader.Verdict.complete(ProxyHeader(size: bytes.count, subject: subject))
            if parse(bytes) != whole { wrong.append("\(name): \(parse(bytes))") }
            for rest in ["GET / HTTP/1.1\r\n", "\r\n", "PROXY UNKNOWN\r\n", "\0"]
            where parse(bytes + Array(rest.utf8)) != whole {
                wrong.append("\(name) before \(rest)")
            }
            for size in 0..<bytes.count where parse(Array(bytes[..<size])) != .incomplete {
                wrong.append("\(name) cut to \(size): \(parse(Array(bytes[..<size])))")
            }
        }
        #expect(wrong == [])
    }

    // MARK: - What is not

    private static let invalid: [(String, ProxyHeaderError)] = {
        let long = String(repeating: "x", count: 92)
        return [
            ("GET / HTTP/1.1\r\n", .notAHeader), ("PUT", .notAHeader), ("proxy TCP4", .notAHeader),
            ("\r\nGET", .notAHeader),
            ("PROXYTCP4", .notAHeader), ("\u{16}\u{3}\u{1}", .notAHeader), ("\n", .notAHeader),
            ("\0", .notAHeader),
            ("PROXY / HTTP/1.1\r\n", .malformedLine), ("PROXY  TCP4", .malformedLine),
            ("PROXY TCP5", .malformedLine),
            ("PROXY UDP4", .malformedLine), ("PROXY tcp4", .malformedLine),
            ("PROXY UNKNOWNX\r\n", .malformedLine),
            ("PROXY \r\n", .malformedLine), ("PROXY TCP4\r\n", .malformedLine),
            ("PROXY TCP4 \r\n", .malformedAddress),
            ("PROXY TCP4 1.2.3.4\r\n", .malformedLine), ("PROXY TCP4 1.2.3.4 1.2.3.5\r\n", .malformedLine),
            ("PROXY TCP4 1.2.3.4 1.2.3.5 1\r\n", .malformedLine),
            ("PROXY TCP4 1.2.3.4 1.2.3.5 1 2 \r\n", .malformedLine),
            ("PROXY TCP4 1.2.3.4 1.2.3.5 1 2 3\r\n", .malformedLine),
            ("PROXY TCP4  1.2.3.4 1.2.3.5 1 2\r\n", .malformedAddress),
            ("PROXY TCP4 1.2.3.4  1.2.3.5 1 2\r\n", .malformedAddress),
            ("PROXY TCP4\t1.2.3.4 1.2.3.5 1 2\r\n", .malformedLine),
            ("PROXY TCP4 01.2.3.4 1.2.3.5 1 2\r\n", .malformedAddress),
            ("PROXY TCP4 1.2.3.256 1.2.3.5 1 2\r\n", .malformedAddress),
            ("PROXY TCP4 1.2.3 1.2.3.5 1 2\r\n", .malformedAddress),
            ("PROXY TCP4 ::1 ::2 1 2\r\n", .malformedAddress),
            ("PROXY TCP6 1.2.3.4 1.2.3.5 1 2\r\n", .malformedAddress),
            ("PROXY TCP6 ::1 1.2.3.5 1 2\r\n", .malformedAddress),
            ("PROXY TCP6 ::1::2 ::2 1 2\r\n", .malformedAddress),
            ("PROXY TCP6 1:2:3:4:5:6:7 ::2 1 2\r\n", .malformedAddress),
            ("PROXY TCP6 [::1] ::2 1 2\r\n", .malformedAddress),
            ("PROXY TCP6 fe80::1%eth0 ::2 1 2\r\n", .malformedAddress),
            ("PROXY TCP4 1.2.3.4 1.2.3.5 65536 2\r\n", .malformedPort),
            ("PROXY TCP4 1.2.3.4 1.2.3.5 1 65536\r\n", .malformedPort),
            ("PROXY TCP4 1.2.3.4 1.2.3.5 01 2\r\n", .malformedPort),
            ("PROXY TCP4 1.2.3.4 1.2.3.5 00 2\r\n", .malformedPort),
            ("PROXY TCP4 1.2.3.4 1.2.3.5 -1 2\r\n", .malformedPort),
            ("PROXY TCP4 1.2.3.4 1.2.3.5 +1 2\r\n", .malformedPort),
            ("PROXY TCP4 1.2.3.4 1.2.3.5 1 \r\n", .malformedPort),
            ("PROXY TCP4 1.2.3.4 1.2.3.5 1  2\r\n", .malformedPort),
            ("PROXY TCP4 1.2.3.4 1.2.3.5 123456 2\r\n", .malformedPort),
            ("PROXY TCP4 1.2.3.4 1.2.3.5 1x 2\r\n", .malformedPort),
            // Line ends.
            ("PROXY TCP4 1.2.3.4 1.2.3.5 1 2\n", .malformedLine),
            ("PROXY TCP4 1.2.3.4 1.2.3.5 1 2\r\r\n", .malformedLine),
            ("PROXY TCP4 1.2.3.4 1.2.3.5 1 2\rG", .malformedLine), ("PROXY UNKNOWN\n", .malformedLine),
            ("PROXY UNKNOWN a\rb\r\n", .malformedLine),
            // 108 bytes with CR LF.
            ("PROXY UNKNOWN \(long)\r\n", .lineTooLong), ("PROXY UNKNOWN \(long)\(long)", .lineTooLong),
        ]
    }()

    private static let invalidBlocks: [(String, [UInt8], ProxyHeaderError)] = [
        ("version 1", block(0x11, 0x11, ipv4), .unsupportedVersion),
        ("version 3", block(0x31, 0x11, ipv4), .unsupportedVersion),
        ("command 2", block(0x22, 0x11, ipv4), .unknownCommand),
        ("command 15", block(0x2F, 0x11, ipv4), .unknownCommand),
        ("family 4", block(0x21, 0x41, ipv4), .unknownFamily),
        ("family 0, protocol 1", block(0x21, 0x01, ipv4), .unknownFamily),
        ("IPv4, protocol 0", block(0x21, 0x10, ipv4), .unknownFamily),
        ("IPv4, protocol 3", block(0x21, 0x13, ipv4), .unknownFamily),
        ("unix, protocol 0", block(0x21, 0x30, ipv4), .unknownFamily),
        ("IPv4, 11 bytes", block(0x21, 0x11, Array(ipv4.dropLast())), .addressesCut),
        ("IPv4, none", block(0x21, 0x11, []), .addressesCut),
        ("IPv6, 35 bytes", block(0x21, 0x21, Array(ipv6.dropLast())), .addressesCut),
        ("unix, 215 bytes", block(0x21, 0x31, [UInt8](repeating: 0, count: 215)), .addressesCut),
        ("too large", block(0x21, 0x11, ipv4, length: 4081), .tooLarge),
        ("local, too large", block(0x20, 0, [], length: 65535), .tooLarge),
        ("extension, a byte", block(0x21, 0x11, ipv4 + [4]), .malformedExtension),
        ("extension, no length", block(0x21, 0x11, ipv4 + [4, 0]), .malformedExtension),
        ("extension too long", block(0x21, 0x11, ipv4 + [4, 0, 2, 1]), .malformedExtension),
        ("extension far too long", block(0x21, 0x11, ipv4 + [4, 0xFF, 0xFF, 1]), .malformedExtension),
        (
            "unix, extension too long", block(0x21, 0x31, [UInt8](repeating: 0, count: 216) + [4, 0, 1]),
            .malformedExtension
        ),
        ("checksum of 3 bytes", block(0x21, 0x11, ipv4 + [3, 0, 3, 1, 2, 3]), .malformedExtension),
        ("two checksums", checked(checked(block(0x21, 0x11, ipv4))), .malformedExtension),
        ("wrong checksum", checked(block(0x21, 0x11, ipv4), wrong: true), .wrongChecksum),
        ("zero checksum", block(0x21, 0x11, ipv4 + [3, 0, 4, 0, 0, 0, 0]), .wrongChecksum),
        ("datagrams with a wrong checksum", checked(block(0x21, 0x12, ipv4), wrong: true), .wrongChecksum),
    ]

    @Test("What is no header is refused with the reason, at once where it is certain, and for good")
    func invalid() {
        var wrong: [String] = []
        let lines = Self.invalid.map { ($0.debugDescription, HTTPSupport.bytes($0), $1) }
        for (name, bytes, error) in lines + Self.invalidBlocks {
            if parse(bytes) != .invalid(error) { wrong.append("\(name): \(parse(bytes))") }
            if parse(bytes + [0x20, 0x0D, 0x0A]) != .invalid(error) {
                wrong.append("\(name) with more behind it")
            }
            var isRefused = false
            for size in 0..<bytes.count {
                switch parse(Array(bytes[..<size])) {
                case .complete: wrong.append("\(name) is complete at \(size)")
                case .incomplete:
                    if isRefused { wrong.append("\(name): incomplete at \(size), after a refusal") }
                case .invalid: isRefused = true
                }
            }
        }
        #expect(wrong == [])
    }

    @Test("A request is refused at its first byte, unless it begins as a header does")
    func early() {
        for method in ["GET", "HEAD", "DELETE", "CONNECT", "OPTIONS"] {
            #expect(parse(Array(method.utf8.prefix(1))) == .invalid(.notAHeader), "\(method)")
        }
        #expect(parse(Array("POST".utf8.prefix(2))) == .invalid(.notAHeader))
        #expect(parse(Array("PROXY TCP4 1.2.3.4 1.2.3.5 1 2\n".utf8)) == .invalid(.malformedLine))
        #expect(parse(Self.signature + [0x11]) == .invalid(.unsupportedVersion))
        #expect(parse(Self.signature + [0x21, 0x44]) == .invalid(.unknownFamily))
    }

    @Test("The checksum is CRC-32C")
    func checksum() {
        // RFC 3720 appendix B.4, and the check value of the catalogue of CRCs.
        let table: [([UInt8], UInt32)] = [
            (Array("123456789".utf8), 0xE306_9283), ([], 0), ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
            ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43), (Array(0..<32), 0x46DD_794E),
        ]
        for (bytes, value) in table {
            var sum = Checksum32C()
            HTTPSupport.withView(bytes) { sum.add($0) }
            #expect(sum.value == value)
        }
    }

    // MARK: - Writing

    private func written(_ version: ProxyHeader.Version, _ addresses: AddressPair?, capacity: Int = 200)
        -> [UInt8]?
    {
        HTTPSupport.written(capacity: capacity) { $0.append(proxyHeader: version, addresses) }.map(
            HTTPSupport.bytes)
    }

    @Test("Headers are written as the specification shows them")
    func writing() {
        let v4 = Self.pair("192.168.0.1", "192.168.0.11", 56324, 443)
        let v6 = Self.pair("2001:db8::1", "2001:db8::2", 0, 65535)
        let mixed = Self.pair("192.0.2.1", "2001:db8::2", 1, 2)
        func text(_ addresses: AddressPair?) -> String {
            written(.v1, addresses).map(HTTPSupport.text) ?? "overflow"
        }
        #expect(text(v4) == "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n")
        #expect(text(v6) == "PROXY TCP6 2001:db8::1 2001:db8::2 0 65535\r\n")
        #expect(text(mixed) == "PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 1 2\r\n")
        #expect(text(nil) == "PROXY UNKNOWN\r\n")
        #expect(written(.v2, v4) == Self.block(0x21, 0x11, Self.ipv4))
        #expect(written(.v2, v6) == Self.block(0x21, 0x21, Self.ipv6))
        #expect(written(.v2, nil) == Self.block(0x20, 0, []))
    }

    @Test("What is written is read as the same, and never half written")
    func roundTrip() {
        let longest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
        let pairs = [
            Self.pair("192.168.0.1", "192.168.0.11", 56324, 443), Self.pair("2001:db8::1", "::", 0, 65535),
            Self.pair("192.0.2.1", "2001:db8::2", 1, 2), Self.pair("::1", "255.255.255.255", 65535, 65535),
            Self.pair(longest, longest, 65535, 65535),
        ]
        for version in [ProxyHeader.Version.v1, .v2] {
            for pair in pairs {
                let bytes = written(version, pair) ?? []
                #expect(bytes.count <= 107)
                #expect(parse(bytes) == .complete(ProxyHeader(size: bytes.count, subject: .relayed(pair))))
                for capacity in 0..<bytes.count { #expect(written(version, pair, capacity: capacity) == nil) }
            }
            let none = written(version, nil) ?? []
            #expect(
                parse(none)
                    == .complete(ProxyHeader(size: none.count, subject: version == .v1 ? .unknown : .local)))
        }
    }
}
