/// The request that an explanation is asked of, as it is put to a running process: the query of a URL (WHATWG URL,
/// application/x-www-form-urlencoded) with `url`, and perhaps `method`, `header`, each time for one field, `from` and `on`.
public struct ExplanationQuery: Sendable, Equatable {
    public var method = "GET"
    /// A URL; a path for a request to a reverse proxy; an authority for CONNECT.
    public var target: String
    /// `Name: value`, each.
    public var fields: [String] = []
    /// The address that the request comes from.
    public var source = "127.0.0.1"
    /// The address of a listener as the configuration has it; nil: the first that takes such a request.
    public var listener: String?

    public init(target: String) { self.target = target }

    /// - Throws: what it does not say, or should not.
    init(parsing query: String) throws(OptionSyntaxError) {
        var target: String?
        var unknown: String?
        self.target = ""
        for (name, value) in Self.parameters(query) {
            switch name {
            case "url": target = value
            case "method": method = value
            case "header": fields.append(value)
            case "from": source = value
            case "on": listener = value
            default: unknown = unknown ?? name
            }
        }
        if let unknown {
            throw OptionSyntaxError(
                "there is no \(quoted(unknown)): there are url, method, header, from and on")
        }
        guard let target else { throw OptionSyntaxError("what is asked for? write /explain?url=http://…") }
        self.target = target
    }

    /// The query of a URL that `init(parsing:)` reads.
    var text: String {
        var parameters = [("method", method), ("url", target), ("from", source)]
        if let listener { parameters.append(("on", listener)) }
        parameters += fields.map { ("header", $0) }
        return parameters.map { "\($0)=\(Self.encoded($1))" }.joined(separator: "&")
    }

    /// Names and values of a query, decoded.
    static func parameters(_ query: String) -> [(String, String)] {
        var query = query
        return query.withUTF8 { bytes in
            let size = max(1, bytes.count)
            return unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: size) { buffer in
                func text(_ part: QueryText) -> String {
                    let view = unsafe part.decoded(into: buffer.baseAddress!, capacity: size)
                    return String(decoding: (0..<view.count).map { view[$0] }, as: UTF8.self)
                }
                var found: [(String, String)] = []
                var cursor = QueryCursor(unsafe ByteView(UnsafeRawBufferPointer(bytes)))
                while cursor.advance() { found.append((text(cursor.name), text(cursor.value))) }
                return found
            }
        }
    }

    /// With `%XX` for every byte but unreserved characters (RFC 3986, section 2.3).
    private static func encoded(_ text: String) -> String {
        text.utf8.reduce(into: "") { result, byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(UnicodeScalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
    }
}
