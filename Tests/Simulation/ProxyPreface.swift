#if DEBUG || TESTABLE
    @testable internal import UringProxy

    /// PROXY protocol headers for the peers: written and read plainly, and apart from the engine's own codec.
    enum ProxyPreface {
        private static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10] + Array("QUIT\n".utf8)

        enum Found: Equatable {
            /// What has come begins with something else.
            case nothing
            /// `addresses` is nil for LOCAL and UNKNOWN.
            case header(size: Int, addresses: AddressPair?)
        }

        /// Takes the header off what comes first on a connection.
        struct Reader {
            /// What came first, until it is known what it is; nil afterwards.
            private var beginning: [UInt8]?
            private(set) var header = Found.nothing

            init(isExpected: Bool) { beginning = isExpected ? [] : nil }

            /// What is behind the header; nil as long as that is not known.
            mutating func read(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
                guard let before = beginning else { return unsafe Array(bytes) }
                let all = unsafe before + Array(bytes)
                guard let found = ProxyPreface.find(in: all) else {
                    beginning = all
                    return nil
                }
                beginning = nil
                header = found
                guard case .header(let size, _) = found else { return all }
                return Array(all.dropFirst(size))
            }
        }

        // MARK: - Writing

        static func text(_ pair: AddressPair) -> [UInt8] {
            let family = pair.source.isIPv4 ? "TCP4" : "TCP6"
            return Array(
                "PROXY \(family) \(pair.source.description) \(pair.destination.description) \(pair.sourcePort) \(pair.destinationPort)\r\n"
                    .utf8)
        }

        /// - Parameter padding: bytes of an extension behind the addresses; 0 for none.
        static func block(_ pair: AddressPair, padding: Int) -> [UInt8] {
            let isIPv4 = pair.source.isIPv4
            var rest: [UInt8] = []
            for address in [pair.source, pair.destination] {
                for index in (isIPv4 ? 12 : 0)..<16 { rest.append(address.byte(at: index)) }
            }
            for port in [pair.sourcePort, pair.destinationPort] {
                rest += [UInt8(port >> 8), UInt8(port & 255)]
            }
            if padding > 0 {
                rest +=
                    [4, UInt8(padding >> 8), UInt8(padding & 255)] + [UInt8](repeating: 0, count: padding)
            }
            return block(0x21, isIPv4 ? 0x11 : 0x21, rest)
        }

        static func block(_ command: UInt8, _ family: UInt8, _ rest: [UInt8]) -> [UInt8] {
            signature + [command, family, UInt8(rest.count >> 8), UInt8(rest.count & 255)] + rest
        }

        // MARK: - Reading

        /// What stands at the start; nil: too little has come to say.
        static func find(in bytes: [UInt8]) -> Found? {
            let word = Array("PROXY ".utf8)
            if bytes.starts(with: signature) { return findBlock(bytes) }
            if bytes.starts(with: word) { return findLine(bytes) }
            return signature.starts(with: bytes) || word.starts(with: bytes) ? nil : .nothing
        }

        private static func findLine(_ bytes: [UInt8]) -> Found? {
            guard let end = bytes.firstIndex(of: 10) else { return nil }
            let words = String(decoding: bytes[..<(end - 1)], as: UTF8.self).split(separator: " ")
            guard words.count == 6, let source = IPAddress(String(words[2])),
                let destination = IPAddress(String(words[3])), let from = UInt16(words[4]),
                let to = UInt16(words[5])
            else { return .header(size: end + 1, addresses: nil) }
            return .header(
                size: end + 1,
                addresses: AddressPair(
                    source: source, destination: destination, sourcePort: from, destinationPort: to))
        }

        private static func findBlock(_ bytes: [UInt8]) -> Found? {
            guard bytes.count >= 16 else { return nil }
            let size = 16 + Int(bytes[14]) * 256 + Int(bytes[15])
            guard bytes.count >= size else { return nil }
            func number(_ start: Int, _ count: Int) -> UInt64 {
                bytes[start..<start + count].reduce(0) { $0 << 8 | UInt64($1) }
            }
            func pair(_ source: IPAddress, _ destination: IPAddress, _ ports: Int) -> AddressPair {
                AddressPair(
                    source: source, destination: destination, sourcePort: UInt16(number(ports, 2)),
                    destinationPort: UInt16(number(ports + 2, 2)))
            }
            switch (bytes[12], bytes[13]) {
            case (0x21, 0x11):
                return .header(
                    size: size,
                    addresses: pair(
                        IPAddress(ipv4: UInt32(number(16, 4))), IPAddress(ipv4: UInt32(number(20, 4))), 24))
            case (0x21, 0x21):
                return .header(
                    size: size,
                    addresses: pair(
                        IPAddress(high: number(16, 8), low: number(24, 8)),
                        IPAddress(high: number(32, 8), low: number(40, 8)), 48))
            default:
                return .header(size: size, addresses: nil)
            }
        }
    }
#endif
