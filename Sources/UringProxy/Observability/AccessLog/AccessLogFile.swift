internal import CPosix

/// Files of records: a header, and records one after the other. Another header may stand between two of them, so that files can be put
/// together with `cat`.
enum AccessLogFile {
    private static var magic: StaticString { "uproxylg" }
    static var headerSize: Int { 16 }

    /// What a file begins with: eight bytes that say what it is, the number of the records' schema and the header's size in two bytes
    /// each (little-endian), and zeros.
    static let header: [UInt8] = {
        var bytes: [UInt8] = []
        bytes.append(ByteView(magic))
        for number in [AccessRecord.schema, UInt16(headerSize)] {
            bytes += [UInt8(truncatingIfNeeded: number), UInt8(truncatingIfNeeded: number >> 8)]
        }
        return bytes + [0, 0, 0, 0]
    }()

    /// Takes records out of a file's bytes as they come, in pieces of any size.
    struct Reader: ~Copyable {
        private var bytes: [UInt8] = []
        private var start = 0
        /// Of `start` in the file.
        private(set) var offset: UInt64 = 0
        private var hasHeader = false

        /// Bytes that wait for the rest of their record.
        var waitingCount: Int { bytes.count - start }

        /// Reads what comes next.
        ///
        /// - Returns: how much it was; 0 at the file's end, -errno if it cannot be read.
        mutating func fill(from descriptor: Int32) -> Int {
            if start > 0 {
                bytes.removeFirst(start)
                start = 0
            }
            var result = 0
            bytes.append(addingCapacity: 262_144) { span in
                unsafe span.withUnsafeMutableBufferPointer { buffer, count in
                    guard let base = buffer.baseAddress else { return }
                    repeat {
                        result = unsafe cposix_read(descriptor, base + count, buffer.count - count)
                    } while result == -Int(EINTR)
                    count += max(result, 0)
                }
            }
            return result
        }

        /// Calls `body` with each whole record that has been read, until it returns false.
        ///
        /// - Throws: where the bytes are no record.
        mutating func drain(_ body: (AccessRecordView) -> Bool) throws(AccessLogFileError) {
            var failure: AccessLogFileError?
            var taken = 0
            var goesOn = true
            unsafe bytes.withUnsafeBytes { buffer in
                let rest = unsafe ByteView(buffer).dropFirst(start)
                do throws(AccessLogFileError) {
                    while goesOn, let size = try nextSize(rest.dropFirst(taken), at: offset + UInt64(taken)) {
                        if size > 0 {
                            guard let view = AccessRecordView(rest[taken..<taken + size]) else { break }
                            goesOn = body(view)
                            taken += size
                        } else {
                            hasHeader = true
                            taken += AccessLogFile.headerSize
                        }
                    }
                } catch { failure = error }
            }
            start += taken
            offset += UInt64(taken)
            if let failure { throw failure }
        }

        /// The size of the record at the beginning; 0: a header stands there; nil: more bytes are needed.
        private func nextSize(_ bytes: ByteView, at offset: UInt64) throws(AccessLogFileError) -> Int? {
            let magic = ByteView(AccessLogFile.magic)
            let known = min(bytes.count, magic.count)
            guard known > 0 else { return nil }
            if bytes[0..<known].equals(magic[0..<known]) {
                // No record begins like that: sizes are multiples of 8.
                guard bytes.count >= AccessLogFile.headerSize else { return nil }
                let schema = UInt16(truncatingIfNeeded: bytes.word(at: 8).littleEndian)
                guard schema == AccessRecord.schema else {
                    throw AccessLogFileError.otherSchema(schema, at: offset)
                }
                return 0
            }
            guard hasHeader else { throw AccessLogFileError.noLog }
            // Size and schema.
            guard bytes.count >= 8 else { return nil }
            let word = bytes.word(at: 0).littleEndian
            let size = Int(UInt32(truncatingIfNeeded: word))
            guard size >= MemoryLayout<AccessRecord>.size, size <= AccessRecord.sizeLimit, size % 8 == 0,
                UInt16(truncatingIfNeeded: word >> 32) == AccessRecord.schema
            else { throw AccessLogFileError.damaged(at: offset) }
            return bytes.count >= size ? size : nil
        }
    }
}

/// Why a file cannot be read, or not any further.
enum AccessLogFileError: Error, Equatable {
    /// It does not begin as one.
    case noLog
    case otherSchema(UInt16, at: UInt64)
    /// What stands there is no record.
    case damaged(at: UInt64)

    var message: String {
        switch self {
        case .noLog:
            "is no binary access log of uproxy's: it does not begin with \"uproxylg\" (text formats need no reading)"
        case .otherSchema(let schema, let offset):
            "has records of schema \(schema) from byte \(offset) on, and this uproxy reads schema \(AccessRecord.schema): "
                + "read it with the version that wrote it"
        case .damaged(let offset):
            "is damaged at byte \(offset): no record stands there, and what follows cannot be told apart"
        }
    }
}
