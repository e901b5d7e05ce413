import Testing

@testable import UringProxy

@Suite("ChunkedDecoder")
struct ChunkedDecoderTests {
    /// Decodes `body` in pieces that end at `cuts`: the data, then "|" and what follows the last chunk's line, or the
    /// reason of the refusal, or "…" if there is more to come.
    private func decode(_ body: [UInt8], pieceSize: Int, firstPiece: Int? = nil) -> String {
        var decoder = ChunkedDecoder()
        var data: [UInt8] = []
        var start = 0
        var end = min(firstPiece ?? pieceSize, body.count)
        while start < body.count {
            let piece = Array(body[start..<end])
            let step = HTTPSupport.withView(piece) { decoder.advance($0) }
            switch step {
            case .needMore(let consumed):
                if consumed != piece.count { return "held back" }
                start = end
            case .data(let framing, let size):
                if size == 0 || framing + size > piece.count { return "wrong size" }
                data += piece[framing..<framing + size]
                start += framing + size
            case .trailers(let consumed):
                return HTTPSupport.text(data) + "|" + HTTPSupport.text(Array(body[(start + consumed)...]))
            case .invalid(let error):
                return "\(error)"
            }
            if start == end { end = min(end + pieceSize, body.count) }
        }
        return HTTPSupport.text(data) + (decoder.isFinished ? "|" : "…")
    }

    private static let cases: [(String, String)] = [
        ("0\r\n\r\n", "|\r\n"),
        ("0\r\n", "|"),
        ("000\r\nX: y\r\n\r\n", "|X: y\r\n\r\n"),
        ("0000000000000000\r\n", "|"),
        ("5\r\nhello\r\n0\r\n\r\n", "hello|\r\n"),
        ("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world|\r\n"),
        ("a\r\n0123456789\r\n0\r\n", "0123456789|"),
        ("A\r\n0123456789\r\n0\r\n", "0123456789|"),
        ("0000000000000001\r\nx\r\n0\r\n", "x|"),
        ("2\r\n\r\n\r\n0\r\n", "\r\n|"),
        ("1\r\n\u{00}\r\n1\r\n\n\r\n0\r\n", "\u{00}\n|"),
        ("5;a\r\nhello\r\n0;b=c\r\n", "hello|"),
        ("5;a=b;c=\"d\";e\r\nhello\r\n0\r\n", "hello|"),
        ("5;a=\"\"\r\nhello\r\n0\r\n", "hello|"),
        ("5;a=\"\\\"; \t\u{80}\\\\\"\r\nhello\r\n0\r\n", "hello|"),
        ("5;\(String(repeating: "a", count: 255))\r\nhello\r\n0\r\n", "hello|"),
        // Not there yet.
        ("", "…"), ("5", "…"), ("5\r", "…"), ("5\r\n", "…"), ("5\r\nhel", "hel…"), ("5\r\nhello", "hello…"),
        ("5\r\nhello\r", "hello…"), ("5\r\nhello\r\n", "hello…"), ("5;", "…"), ("5;a=\"", "…"), ("0", "…"),
        ("7fffffffffffffff\r\n", "…"), ("07FFFFFFFFFFFFFF\r\nx", "x…"),
        // Sizes.
        ("\r\n", "invalidChunkSize"), (";a\r\n", "invalidChunkSize"), ("+5\r\n", "invalidChunkSize"),
        ("-5\r\n", "invalidChunkSize"), (" 5\r\n", "invalidChunkSize"), ("\t5\r\n", "invalidChunkSize"),
        ("5 \r\n", "invalidChunkSize"), ("5\t\r\n", "invalidChunkSize"), ("5 ;a\r\n", "invalidChunkSize"),
        ("0x5\r\n", "invalidChunkSize"), ("5h\r\n", "invalidChunkSize"), ("g\r\n", "invalidChunkSize"),
        ("5_0\r\n", "invalidChunkSize"), ("5,5\r\n", "invalidChunkSize"), ("5.\r\n", "invalidChunkSize"),
        ("00000000000000001\r\n", "invalidChunkSize"), ("\u{FF}\r\n", "invalidChunkSize"),
        ("8000000000000000\r\n", "chunkSizeOverflow"), ("ffffffffffffffff\r\n", "chunkSizeOverflow"),
        ("10000000000000000\r\n", "invalidChunkSize"), ("fffffffffffffffff\r\n", "chunkSizeOverflow"),
        ("5\u{00}\r\n", "invalidChunkSize"), ("\u{00}5\r\n", "invalidChunkSize"),
        ("5\u{0B}\r\n", "invalidChunkSize"),
        // Line ends.
        ("5\nhello", "bareLineFeed"), ("5\rhello", "bareCarriageReturn"), ("5\r\r\n", "bareCarriageReturn"),
        ("\n5\r\n", "invalidChunkSize"), ("0\n", "bareLineFeed"), ("0\r\r\n", "bareCarriageReturn"),
        ("5;a\nhello", "bareLineFeed"), ("5;a=\"\n\"\r\n", "bareLineFeed"),
        ("5;a\rb\r\n", "bareCarriageReturn"),
        ("5;a=\"\r\n\"\r\n", "invalidChunkExtension"), ("5;a=\"\\\r\n\"\r\n", "invalidChunkExtension"),
        // Data.
        ("5\r\nhello0\r\n", "chunkNotTerminated"), ("5\r\nhello\n0\r\n", "chunkNotTerminated"),
        ("5\r\nhello\r0\r\n", "chunkNotTerminated"), ("5\r\nhello\r\r\n", "chunkNotTerminated"),
        ("4\r\nhello\r\n", "chunkNotTerminated"), ("6\r\nhello\r\n0\r\n", "chunkNotTerminated"),
        // Extensions.
        ("5;\r\n", "invalidChunkExtension"), ("5;;a\r\n", "invalidChunkExtension"),
        ("5; a\r\n", "invalidChunkExtension"), ("5;a \r\n", "invalidChunkExtension"),
        ("5;a =b\r\n", "invalidChunkExtension"), ("5;a= b\r\n", "invalidChunkExtension"),
        ("5;a=\r\n", "invalidChunkExtension"), ("5;=b\r\n", "invalidChunkExtension"),
        ("5;a=b=c\r\n", "invalidChunkExtension"), ("5;a=\"b\"c\r\n", "invalidChunkExtension"),
        ("5;a=\"b\"\"c\"\r\n", "invalidChunkExtension"), ("5;a,b\r\n", "invalidChunkExtension"),
        ("5;a=\"\u{00}\"\r\n", "invalidChunkExtension"), ("5;a=\"\u{7F}\"\r\n", "invalidChunkExtension"),
        ("5;\"a\"\r\n", "invalidChunkExtension"), ("5;a\u{80}\r\n", "invalidChunkExtension"),
        ("5;a=\"b\r\n", "invalidChunkExtension"), ("5;a=b;\r\n", "invalidChunkExtension"),
        ("5;\(String(repeating: "a", count: 256))\r\n", "chunkExtensionTooLong"),
        ("5;a=\"\(String(repeating: "b", count: 300))\"\r\n", "chunkExtensionTooLong"),
    ]

    @Test(
        "Every body of the battery yields its data or its refusal, whole, split at every byte and byte by byte"
    )
    func battery() {
        var failures: [String] = []
        for (body, expected) in Self.cases {
            let bytes = HTTPSupport.bytes(body)
            var results = [
                decode(bytes, pieceSize: bytes.count), decode(bytes, pieceSize: 1),
                decode(bytes, pieceSize: 3),
            ]
            for cut in 1..<max(2, bytes.count) {
                results.append(decode(bytes, pieceSize: bytes.count, firstPiece: cut))
            }
            for (index, result) in results.enumerated() where result != expected {
                failures.append("\(body.debugDescription) way \(index): \(result.debugDescription)")
            }
        }
        #expect(Self.cases.count >= 80)
        #expect(failures == [])
    }

    @Test("Long extensions on small chunks are refused in the end, on large chunks never")
    func extensionsThroughout() {
        let field = ";" + String(repeating: "a", count: 199)
        let small = String(repeating: "1\(field)\r\nx\r\n", count: 200)
        let large = String(repeating: "80\(field)\r\n\(String(repeating: "x", count: 128))\r\n", count: 200)
        #expect(decode(HTTPSupport.bytes(small), pieceSize: 1000) == "chunkExtensionTooLong")
        #expect(decode(HTTPSupport.bytes(large + "0\r\n"), pieceSize: 1000).hasSuffix("x|"))
    }

    @Test("A decoder that has refused goes on refusing, one that is done consumes nothing")
    func final() {
        var decoder = ChunkedDecoder()
        let refused = HTTPSupport.withView([0x67]) { decoder.advance($0) }
        let again = HTTPSupport.withView([0x35]) { decoder.advance($0) }
        #expect(refused == .invalid(.invalidChunkSize) && again == .invalid(.invalidChunkSize))
        decoder = ChunkedDecoder()
        _ = HTTPSupport.withView(HTTPSupport.bytes("0\r\n")) { decoder.advance($0) }
        #expect(HTTPSupport.withView([0x35]) { decoder.advance($0) } == .trailers(consumed: 0))
    }
}
