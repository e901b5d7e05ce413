import Testing

@testable import UringProxy

@Suite("SocketAddress")
struct SocketAddressTests {
    @Test("Listen addresses are read and written")
    func parsing() {
        let long = String(repeating: "p", count: 106)
        let table: [(String, String)] = [
            ("127.0.0.1:80", "127.0.0.1:80"), ("[::1]:80", "[::1]:80"), (":8080", "[::]:8080"),
            ("*:8080", "[::]:8080"), ("localhost:80", "127.0.0.1:80"), ("0.0.0.0:0", "0.0.0.0:0"),
            ("[::]:65535", "[::]:65535"), ("[fe80::1%7]:80", "[fe80::1%7]:80"),
            ("[fe80::1%lo]:80", "[fe80::1%1]:80"),
            ("[::ffff:10.0.0.1]:80", "10.0.0.1:80"),
            ("unix:/run/a.sock", "unix:/run/a.sock"), ("unix:@name", "unix:@name"),
            ("unix:/\(long)", "unix:/\(long)"),
        ]
        var wrong: [String] = []
        for (text, expected) in table {
            do {
                let address = try SocketAddress(parsing: text)
                if address.description != expected { wrong.append("\(text) → \(address.description)") }
                // Through the kernel's form and back.
                let again = unsafe address.withSockaddr { pointer, size in
                    unsafe SocketAddress(fromSockaddr: pointer, size: Int(size))
                }
                if again != address { wrong.append("not stable: \(text)") }
            } catch {
                wrong.append("\(text): \(error.message)")
            }
        }
        #expect(wrong == [])
    }

    @Test("Refusals say what is wrong")
    func refusals() {
        let long = "unix:/" + String(repeating: "p", count: 107)
        let table: [(String, (String) -> SocketAddressError)] = [
            ("80", SocketAddressError.portMissing), ("127.0.0.1", SocketAddressError.portMissing),
            ("[::1]", SocketAddressError.portMissing), ("127.0.0.1:", SocketAddressError.badPort),
            ("127.0.0.1:65536", SocketAddressError.badPort), ("127.0.0.1:+80", SocketAddressError.badPort),
            ("127.0.0.1:080000", SocketAddressError.badPort), (":http", SocketAddressError.badPort),
            ("::1:80", SocketAddressError.bracketsMissing),
            ("fe80::1%lo:80", SocketAddressError.bracketsMissing),
            ("example.org:80", SocketAddressError.badAddress), ("127.1:80", SocketAddressError.badAddress),
            ("[127.0.0.1]:80", SocketAddressError.badAddress), ("[]:80", SocketAddressError.badAddress),
            ("[::1:80", SocketAddressError.badAddress), ("[::1%lo]:80", SocketAddressError.badScope),
            ("[fe80::1%no-such-if]:80", SocketAddressError.badScope),
            ("[fe80::1%0]:80", SocketAddressError.badScope),
            ("unix:", SocketAddressError.badPath), ("unix:@", SocketAddressError.badPath),
            (long, SocketAddressError.badPath),
        ]
        var wrong: [String] = []
        for (text, expected) in table {
            do {
                let address = try SocketAddress(parsing: text)
                wrong.append("\(text) → \(address.description)")
            } catch {
                if error != expected(text) { wrong.append("\(text): \(error)") }
            }
        }
        #expect(wrong == [])
        #expect(throws: SocketAddressError.empty) { try SocketAddress(parsing: "") }
    }

    @Test("The parts can be read back")
    func parts() throws {
        let address = try SocketAddress(parsing: "[fe80::1%3]:443")
        #expect(address.port == 443)
        #expect(address.scope == 3)
        #expect(address.address == IPAddress("fe80::1"))
        #expect(address.size == 28)
        #expect(address.withPort(80).description == "[fe80::1%3]:80")
        let unix = try SocketAddress(parsing: "unix:/a")
        #expect(unix.isUnix && unix.address == nil && unix.port == 0 && unix.size == 5)
        #expect(try SocketAddress(parsing: "unix:@a").size == 4)
        #expect(try SocketAddress(parsing: "unix:/a") != SocketAddress(parsing: "unix:/b"))
    }
}
