import Testing

@testable import UringProxy

@Suite("ByteView")
struct ByteViewTests {
    @Test("Case is ignored for ASCII letters alone")
    func caseFolding() {
        let bytes = Array("Content-LENGTH".utf8)
        unsafe bytes.withUnsafeBytes { buffer in
            let view = unsafe ByteView(buffer)
            #expect(view.equalsIgnoringCase("content-length"))
            #expect(!view.equalsIgnoringCase("content_length"))
            #expect(view[0..<7].string == "Content")
        }
    }

    @Test("Bytes are the same only if each is, whatever their number")
    func equality() {
        for size in 0...40 {
            let bytes = (0..<size).map { UInt8($0) }
            unsafe bytes.withUnsafeBytes { ours in
                let view = unsafe ByteView(ours)
                #expect(view.equals(view))
                for place in 0..<size {
                    var others = bytes
                    others[place] ^= 0x80
                    unsafe others.withUnsafeBytes { #expect(!view.equals(unsafe ByteView($0))) }
                }
            }
        }
    }
}
