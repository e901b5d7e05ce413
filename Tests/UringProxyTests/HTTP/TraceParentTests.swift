import TestSupport
import Testing

@testable import UringProxy

@Suite("traceparent")
struct TraceParentTests {
    private static let trace = "0af7651916cd43dd8448eb211c80319c"
    private static let span = "b7ad6b7169203331"

    private func parse(_ text: String) -> TraceParent? {
        parse(Array(text.utf8))
    }

    private func parse(_ bytes: [UInt8]) -> TraceParent? {
        unsafe bytes.withUnsafeBytes { TraceParent(unsafe ByteView($0)) }
    }

    private func written(_ parent: TraceParent) -> String {
        var room = [UInt8](repeating: 0, count: TraceParent.size)
        let count = unsafe room.withUnsafeMutableBufferPointer { buffer in
            var writer = unsafe ByteWriter(base: buffer.baseAddress!, capacity: buffer.count)
            parent.write(to: &writer)
            return writer.overflowed ? 0 : writer.count
        }
        return String(decoding: room.prefix(count), as: UTF8.self)
    }

    @Test("What is valid is read, and written as it was")
    func valid() throws {
        for flags in ["00", "01", "02", "03"] {
            let text = "00-\(Self.trace)-\(Self.span)-\(flags)"
            let parent = try #require(parse(text))
            #expect(written(parent) == text)
            #expect(parent.flags.contains(.isSampled) == (flags == "01" || flags == "03"))
        }
        let parent = try #require(parse("00-\(Self.trace)-\(Self.span)-01"))
        #expect(
            parent
                == TraceParent(
                    high: 0x0af7_6519_16cd_43dd, low: 0x8448_eb21_1c80_319c, span: 0xb7ad_6b71_6920_3331,
                    flags: .isSampled))
    }

    @Test("Flags that are not known are not passed on")
    func flags() throws {
        #expect(written(try #require(parse("00-\(Self.trace)-\(Self.span)-ff"))).hasSuffix("-03"))
        #expect(written(try #require(parse("00-\(Self.trace)-\(Self.span)-fc"))).hasSuffix("-00"))
    }

    @Test("Later versions are read as far as they are known, and ours is passed on")
    func later() throws {
        for text in ["cc-\(Self.trace)-\(Self.span)-01", "01-\(Self.trace)-\(Self.span)-03-what-comes"] {
            #expect(written(try #require(parse(text))) == "00-\(Self.trace)-\(Self.span)-01")
        }
        #expect(parse("01-\(Self.trace)-\(Self.span)-01.what") == nil)
        #expect(parse("fe-\(Self.trace)-\(Self.span)-01-") != nil)
    }

    @Test("What is not valid is nothing")
    func invalid() {
        let whole = "00-\(Self.trace)-\(Self.span)-01"
        for size in 0..<whole.utf8.count { #expect(parse(String(whole.prefix(size))) == nil) }
        for text in [
            "ff-\(Self.trace)-\(Self.span)-01", "00-\(Self.trace)-\(Self.span)-01-", whole + "0",
            whole + "-x",
            "00-\(String(repeating: "0", count: 32))-\(Self.span)-01", "00-\(Self.trace)-0000000000000000-01",
            "00-\(Self.trace.uppercased())-\(Self.span)-01", "00-\(Self.trace)-\(Self.span.uppercased())-01",
            "0x-\(Self.trace)-\(Self.span)-01", "00_\(Self.trace)-\(Self.span)-01",
            "00-\(Self.trace)-\(Self.span)-0g",
            "00-\(Self.trace)-\(Self.span)_01", " " + whole, whole + " ", "00-\(Self.trace)\(Self.span)--01",
            "00-\(Self.trace), \(whole)",
        ] {
            #expect(parse(text) == nil, "\(text)")
        }
        // Each byte that is none of a digit's, in each place.
        for index in 0..<whole.utf8.count {
            for byte: UInt8 in [0x00, 0x20, 0x2C, 0x2F, 0x3A, 0x40, 0x47, 0x60, 0x67, 0x80, 0xFF] {
                var bytes = Array(whole.utf8)
                bytes[index] = byte
                #expect(parse(bytes) == nil)
            }
        }
    }
}
