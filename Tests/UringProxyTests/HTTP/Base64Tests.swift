import Testing

@testable import UringProxy

@Suite("Base 64")
struct Base64Tests {
    @Test("It is as RFC 4648 §10 has it, both ways")
    func vectors() {
        for (plain, coded) in [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
        ] {
            #expect(Base64.encode(Array(plain.utf8)) == Array(coded.utf8))
            #expect(Base64.decode(Array(coded.utf8)) == Array(plain.utf8))
        }
    }

    @Test("All bytes come back")
    func all() {
        for size in 0...300 {
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        }
    }

    @Test(
        "What has two spellings, lengths that are none, or other characters is refused",
        arguments: ["Zh==", "Zm9=", "Z", "Zm9v=", "Zg=", "Zm8-", "Zg==Zg==", "="])
    func refused(_ text: String) {
        #expect(Base64.decode(Array(text.utf8)) == nil)
    }
}
