import Testing

@testable import UringProxy

@Suite("ByteWriter")
struct ByteWriterTests {
    @Test("Pieces of every size are copied whole, and nothing beside them is touched")
    func sizes() {
        for size in 0...600 {
            let piece = (0..<size).map { UInt8(truncatingIfNeeded: 1 + $0 % 251) }
            let written = HTTPSupport.withView(piece) { view in
                HTTPSupport.written(capacity: 1024) { writer in
                    writer.append("<")
                    writer.append(view)
                    writer.append(">")
                }
            }
            #expect(written == "<" + HTTPSupport.text(piece) + ">")
        }
    }
}

@Suite("ByteClass")
struct ByteClassTests {
    @Test("The fast run of a path ends where the table says, whatever the byte and its place")
    func pathRun() {
        for byte in UInt8.min...UInt8.max {
            for place in 0..<40 {
                var bytes = [UInt8](repeating: UInt8(ascii: "a"), count: 40)
                bytes[place] = byte
                let (fast, slow) = HTTPSupport.withView(bytes) { ($0.pathRun, $0.run(of: .path)) }
                if fast != slow { Issue.record("byte \(byte) at \(place): \(fast), not \(slow)") }
            }
        }
    }

    @Test("The fast run of a host does so too, and stays within its range")
    func hostRun() {
        for byte in UInt8.min...UInt8.max {
            for place in 0..<40 {
                var bytes = [UInt8](repeating: UInt8(ascii: "a"), count: 40)
                bytes[place] = byte
                let differs = HTTPSupport.withView(bytes) { view in
                    [0..<40, 3..<20, 30..<37].contains { view.hostRun(in: $0) != view[$0].run(of: .host) }
                }
                if differs { Issue.record("byte \(byte) at \(place)") }
            }
        }
    }
}
