// Bodies that say themselves where they end.
extension MicroBenchmark {
    nonisolated(unsafe) private static let chunks = text(
        String(repeating: "64\n" + String(repeating: "x", count: 100) + "\n", count: 8) + "0\n")

    static var bodies: [MicroBenchmark] {
        [
            MicroBenchmark(name: "chunked body, 8 chunks of 100 bytes: decode") { count in
                let chunks = chunks
                var sum = 0
                for _ in 0..<count {
                    var decoder = ChunkedDecoder()
                    var place = 0
                    decoding: while true {
                        switch decoder.advance(chunks.dropFirst(place)) {
                        case .data(let framing, let size):
                            place += framing + size
                        case .needMore(let consumed), .trailers(let consumed):
                            place += consumed
                            break decoding
                        case .invalid:
                            preconditionFailure("the chunks are valid")
                        }
                    }
                    sum &+= place
                }
                return sum
            }
        ]
    }
}
