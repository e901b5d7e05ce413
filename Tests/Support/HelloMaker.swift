/// A ClientHello in the hands of a test (RFC 8446 §4.1.2), every part of which may be wrong.
public struct HelloMaker {
    public var type: UInt8 = 1
    public var version: [UInt8] = [3, 3]
    public var random = [UInt8](repeating: 7, count: 32)
    /// With their lengths before them.
    public var session: [UInt8] = [2, 9, 9]
    /// GREASE (RFC 8701) first, as browsers have it.
    public var suites: [UInt8] = [0, 4, 0x0A, 0x0A, 0x13, 0x01]
    public var methods: [UInt8] = [1, 0]
    /// nil: there are none, as in TLS 1.2.
    public var extensions: [UInt8]?

    /// Asks for a host among other things; nil: for none.
    public init(_ name: String? = nil) {
        let names = name.map { Self.extension(0, Self.names(Array($0.utf8))) } ?? []
        extensions =
            Self.extension(0x1A1A, []) + names + Self.extension(43, [2, 3, 4])
            + Self.extension(0x2A2A, [0])
    }

    public init(extensions: [UInt8]?) { self.extensions = extensions }

    public static func `extension`(_ type: Int, _ content: [UInt8]) -> [UInt8] {
        word(type) + word(content.count) + content
    }

    /// What the extension `server_name` holds for a host.
    public static func names(_ name: [UInt8]) -> [UInt8] {
        word(name.count + 3) + [0] + word(name.count) + name
    }

    public static func word(_ number: Int) -> [UInt8] {
        [UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)]
    }

    public var message: [UInt8] {
        let all = extensions.map { Self.word($0.count) + $0 } ?? []
        let body = version + random + session + suites + methods + all
        return [type, UInt8(body.count >> 16)] + Self.word(body.count) + body
    }

    /// In records with so many bytes each.
    public func records(of size: Int = 16_384) -> [UInt8] { Self.records(message, of: size) }

    public static func records(_ message: [UInt8], of size: Int = 16_384) -> [UInt8] {
        stride(from: 0, to: message.count, by: size).flatMap { start in
            let part = message[start..<min(start + size, message.count)]
            return [22, 3, 1] + word(part.count) + part
        }
    }
}
