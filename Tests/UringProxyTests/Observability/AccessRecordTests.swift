import Testing

@testable import UringProxy

@Suite struct AccessRecordTests {
    @Test func itsLayoutIsThatOfFiles() {
        #expect(MemoryLayout<AccessRecord>.size == 184)
        #expect(MemoryLayout<AccessRecord>.offset(of: \AccessRecord.startedAt) == 8)
        #expect(MemoryLayout<AccessRecord>.offset(of: \AccessRecord.times) == 24)
        #expect(MemoryLayout<AccessRecord>.offset(of: \AccessRecord.retries) == 112)
        #expect(MemoryLayout<AccessRecord>.offset(of: \AccessRecord.client) == 136)
        #expect(MemoryLayout<AccessRecord>.offset(of: \AccessRecord.weight) == 168)
        #expect(MemoryLayout<AccessRecord>.offset(of: \AccessRecord.version) == 182)
    }

    @Test func textsAreReadAsTheyWereWritten() {
        Self.withRecord { writer in
            writer.append(.method, view("GET"))
            writer.append(.target, view("/a?b=c"))
            writer.append(.requestField, name: view("X-A"), view("1"))
            writer.append(.userAgent, view("0123456789"), limit: 4)
            writer.append(.host, .empty)
        } read: { record in
            #expect(text(record[.method]) == "GET")
            #expect(text(record[.target]) == "/a?b=c")
            #expect(text(record[.requestField]) == "X-A:1")
            #expect(text(record[.userAgent]) == "0123")
            #expect(record[.cluster].isEmpty)
            var reader = AccessTextReader(record.texts)
            var shortened: [Bool] = []
            while let text = reader.next() { shortened.append(text.isShortened) }
            #expect(shortened == [false, false, false, true, false])
        }
    }

    @Test func whatDoesNotFitIsShortenedAndSaysSo() {
        Self.withRecord(room: 16) { writer in
            writer.append(.target, view("0123456789abcdef"))
            #expect(writer.isTruncated)
            writer.append(.host, view("x"))
        } read: { record in
            #expect(text(record[.target]) == "0123456789ab")
            #expect(record[.host].isEmpty)
        }
    }

    @Test func whatIsNoRecordIsRefused() {
        let size = MemoryLayout<AccessRecord>.size
        var bytes = [UInt8](repeating: 0, count: size)
        func isRead() -> Bool { HTTPSupport.withView(bytes) { AccessRecordView($0) != nil } }
        #expect(!isRead())
        var record = AccessRecord()
        record.size = UInt32(size)
        unsafe bytes.withUnsafeMutableBytes { unsafe $0.storeBytes(of: record, as: AccessRecord.self) }
        #expect(isRead())
        bytes.removeLast()
        #expect(!isRead())
        bytes.append(0)
        // The schema.
        bytes[4] = 2
        #expect(!isRead())
    }

    /// Texts that claim more than there is end there, wherever they are cut.
    @Test func cutTextsEnd() {
        let whole: [UInt8] = [1, 0, 3, 0, 0x47, 0x45, 0x54, 2, 0, 1, 0, 0x2F]
        for count in 0...whole.count {
            let texts = HTTPSupport.withView(Array(whole[..<count])) { bytes in
                var reader = AccessTextReader(bytes)
                var found: [String] = []
                while let next = reader.next() { found.append(text(next.text)) }
                return found
            }
            #expect(texts == (count == whole.count ? ["GET", "/"] : count >= 7 ? ["GET"] : []))
        }
    }

    private func view(_ text: StaticString) -> ByteView {
        unsafe ByteView(base: text.utf8Start, count: text.utf8CodeUnitCount)
    }
    private func text(_ bytes: ByteView) -> String { HTTPSupport.text(bytes) }

    private static func withRecord(
        room: Int = 1024, _ write: (inout AccessTextWriter) -> Void, read: (AccessRecordView) -> Void
    ) {
        let fixed = MemoryLayout<AccessRecord>.size
        var bytes = [UInt8](repeating: 0xFF, count: fixed + room)
        unsafe bytes.withUnsafeMutableBytes { buffer in
            let base = unsafe buffer.baseAddress!.assumingMemoryBound(to: UInt8.self)
            var writer = unsafe AccessTextWriter(base: base + fixed, capacity: room)
            write(&writer)
            writer.pad()
            var record = AccessRecord()
            record.size = UInt32(fixed + writer.count)
            unsafe buffer.storeBytes(of: record, as: AccessRecord.self)
        }
        HTTPSupport.withView(bytes) { bytes in
            guard let record = AccessRecordView(bytes) else {
                Issue.record("no record")
                return
            }
            read(record)
        }
    }
}
