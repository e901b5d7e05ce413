import Testing

@testable import Load

@Suite("ResponseReader")
struct ResponseReaderTests {
    /// Offers `text` in two parts, as a connection would: what is left of a part comes again with the next one.
    private func read(_ text: String, cutAt cut: Int) -> (
        steps: [ResponseReader.Step], reader: ResponseReader, left: Int
    ) {
        let bytes = Array(text.utf8)
        var reader = ResponseReader()
        var steps: [ResponseReader.Step] = []
        var start = 0
        for end in [cut, bytes.count] where end > start {
            let part = Array(bytes[start..<end])
            var index = 0
            let step = reader.read(part.span, from: &index)
            steps.append(step)
            start += index
            if step == .complete || step == .invalid { break }
        }
        return (steps, reader, bytes.count - start)
    }

    private struct Case {
        var text: String
        var status: Int
        var bodySize: Int
        var keepsAlive = true
    }

    private let complete = [
        Case(text: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", status: 200, bodySize: 5),
        Case(
            text: "HTTP/1.1 200 \r\ncontent-length:0\r\nConnection: Close\r\n\r\n", status: 200, bodySize: 0,
            keepsAlive: false),
        Case(
            text: "HTTP/1.0 404 No\r\nContent-Length: 1\r\n\r\nx", status: 404, bodySize: 1, keepsAlive: false
        ),
        Case(
            text: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", status: 200,
            bodySize: 1),
        Case(text: "HTTP/1.1 204 No Content\r\n\r\n", status: 204, bodySize: 0),
        Case(
            text:
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\nA: b\r\n\r\n",
            status: 200, bodySize: 15),
        Case(
            text:
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nab",
            status: 201, bodySize: 2),
    ]

    @Test("A response is read the same wherever it is cut")
    func cuts() {
        for one in complete {
            for cut in 0..<one.text.utf8.count {
                let (steps, reader, left) = read(one.text, cutAt: cut)
                #expect(steps.last == .complete, "\(one.text) cut at \(cut)")
                #expect(left == 0)
                #expect(reader.head.status == one.status)
                #expect(reader.bodySize == one.bodySize)
                #expect(reader.head.keepsAlive == one.keepsAlive)
            }
        }
    }

    @Test("What follows a response is left for the next")
    func pipelined() {
        let (steps, _, left) = read(complete[0].text + "HTTP", cutAt: 0)
        #expect(steps == [.complete])
        #expect(left == 4)
    }

    @Test("What is not HTTP/1.1, or could be read in two ways, is refused")
    func invalid() {
        for text in [
            "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 200 OK\n\r\n",
            "HTTP/1.1 200OK x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", "HTTP/1.1 200 OK\r\nNo colon\r\n\r\n",
            "HTTP/1.1 200 OK\r\n: x\r\n\r\n", "HTTP/1.1 200 OK\r\nA : x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
            "HTTP/1.1 101 Switching\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello",
        ] {
            #expect(read(text, cutAt: 0).steps.last == .invalid, "\(text)")
        }
    }

    @Test("A body that the connection's end ends goes on until then")
    func untilClose() {
        let (steps, reader, _) = read("HTTP/1.1 200 OK\r\n\r\nhello", cutAt: 21)
        #expect(steps.last == .more)
        #expect(reader.endsWithConnection)
        #expect(reader.bodySize == 5)
        #expect(!reader.head.keepsAlive)
    }

    @Test("Success of CONNECT has no body, whatever its head says; failure has")
    func tunnel() {
        var reader = ResponseReader()
        reader.answersConnect = true
        var index = 0
        #expect(
            reader.read(Array("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n".utf8).span, from: &index)
                == .complete)
        index = 0
        reader.restart()
        #expect(
            reader.read(Array("HTTP/1.1 502 No\r\nContent-Length: 5\r\n\r\n".utf8).span, from: &index)
                == .more)
    }

    @Test("Skipped bytes count as body")
    func skipping() {
        var reader = ResponseReader()
        var index = 0
        _ = reader.read(Array("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n".utf8).span, from: &index)
        #expect(reader.skippable == 100)
        let ends = [reader.didSkip(60), reader.didSkip(40)]
        #expect(ends == [false, true])
        #expect(reader.bodySize == 100)
    }
}
