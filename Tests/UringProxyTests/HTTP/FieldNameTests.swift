import Testing

@testable import UringProxy

@Suite("FieldName")
struct FieldNameTests {
    private func lookup(_ name: String) -> FieldName {
        HTTPSupport.withView(HTTPSupport.bytes(name)) { FieldName.lookup($0) }
    }

    /// As the case is called: "contentLength" for "content-length".
    private func caseName(_ name: String) -> String {
        let parts = name.split(separator: "-")
        return String(parts[0])
            + parts.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    private static let names = [
        "host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "keep-alive",
        "proxy-connection", "proxy-authorization", "proxy-authenticate", "expect", "via", "forwarded", "age",
        "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "max-forwards", "http2-settings", "date",
        "server",
        "content-type", "cookie", "set-cookie", "if-unmodified-since", "access-control-allow-origin", "etag",
    ]

    @Test("Known names are found in any case, and no near miss is")
    func known() {
        var failures: [String] = []
        for name in Self.names {
            for spelling in [name, name.uppercased(), name.prefix(1).uppercased() + name.dropFirst()]
            where "\(lookup(spelling))" != caseName(name) {
                failures.append(spelling)
            }
            // Every byte changed to what folding by bit 5 would take for the same, and to others.
            var bytes = HTTPSupport.bytes(name)
            for index in bytes.indices {
                let original = bytes[index]
                for other in UInt8.min...UInt8.max where other.asciiLowercased != original {
                    bytes[index] = other
                    let found = HTTPSupport.withView(bytes) { FieldName.lookup($0) }
                    if found != .other, "\(found)" == caseName(name) {
                        failures.append("\(name) \(index) \(other)")
                    }
                }
                bytes[index] = original
            }
            for longer in [name + "s", String(name.dropLast())] where lookup(longer) != .other {
                failures.append(longer)
            }
        }
        #expect(failures == [])
    }

    @Test("Methods are told apart by case")
    func methods() {
        func lookup(_ name: String) -> UringProxy.Method {
            HTTPSupport.withView(HTTPSupport.bytes(name)) { UringProxy.Method.lookup($0) }
        }
        let names = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"]
        for name in names {
            #expect("\(lookup(name))" == name.lowercased() && lookup(name.lowercased()) == .other)
        }
        #expect(lookup("PUTT") == .other && lookup("") == .other)
        #expect(UringProxy.Method.put.isIdempotent && !UringProxy.Method.put.isSafe)
        #expect(UringProxy.Method.get.isSafe && !UringProxy.Method.post.isIdempotent)
    }
}
