/// A PROXY protocol header of version 2 in the hands of a test, taken apart.
public struct ProxyBlock: Equatable {
    /// 0x20: LOCAL, 0x21: PROXY.
    public var command: UInt8
    public var family: UInt8
    public var addresses: [UInt8]
    /// The extensions in their order.
    public var extensions: [Extension]

    public struct Extension: Equatable {
        public var type: UInt8
        public var value: [UInt8]

        public init(_ type: UInt8, _ value: [UInt8]) {
            self.type = type
            self.value = value
        }
    }

    /// Bytes of it before those that it says the length of.
    public static let startSize = 16

    /// - Parameter start: the first 16 bytes.
    public static func restSize(_ start: [UInt8]) -> Int { Int(start[14]) << 8 | Int(start[15]) }

    /// nil if the bytes are no such header, or more than one.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count >= Self.startSize, Array(bytes[..<12]) == Array("\r\n\r\n\0\r\nQUIT\n".utf8),
            bytes.count == Self.startSize + Self.restSize(bytes)
        else { return nil }
        command = bytes[12]
        family = bytes[13]
        let size = [0x11: 12, 0x21: 36][family] ?? 0
        guard bytes.count >= Self.startSize + size else { return nil }
        addresses = Array(bytes[Self.startSize..<Self.startSize + size])
        guard let extensions = Self.extensions(Array(bytes.dropFirst(Self.startSize + size))) else {
            return nil
        }
        self.extensions = extensions
    }

    public static func extensions(_ bytes: [UInt8]) -> [Extension]? {
        var found: [Extension] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            guard rest.count >= 3 else { return nil }
            let head = Array(rest.prefix(3))
            let size = Int(head[1]) << 8 | Int(head[2])
            guard rest.count >= 3 + size else { return nil }
            found.append(Extension(head[0], Array(rest.dropFirst(3).prefix(size))))
            rest = rest.dropFirst(3 + size)
        }
        return found
    }

    /// The value of the extension of a type; nil if there is not exactly one.
    public subscript(type: UInt8) -> [UInt8]? {
        let all = extensions.filter { $0.type == type }
        return all.count == 1 ? all[0].value : nil
    }
}
