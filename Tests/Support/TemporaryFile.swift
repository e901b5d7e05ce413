import CPosix

/// A file with some text, or other bytes, that is gone when the test is over.
public final class TemporaryFile {
    public let path: String

    public convenience init(_ text: String) throws { try self.init(Array(text.utf8)) }

    public init(_ bytes: [UInt8]) throws {
        var name = Array("/tmp/uproxy-test-XXXXXX\0".utf8.map { CChar(bitPattern: $0) })
        let descriptor = unsafe name.withUnsafeMutableBufferPointer { unsafe mkstemp($0.baseAddress!) }
        guard descriptor >= 0 else { throw RawError.system(call: "mkstemp", errno: 0) }
        path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        _ = cposix_close(descriptor)
        try replace(with: bytes)
    }

    /// Writes another text into it.
    public func replace(with text: String) throws { try replace(with: Array(text.utf8)) }

    /// Writes other bytes into it.
    public func replace(with bytes: [UInt8]) throws {
        guard let file = unsafe fopen(path, "w") else { throw RawError.system(call: "fopen", errno: 0) }
        defer { unsafe _ = fclose(file) }
        let count = unsafe fwrite(bytes, 1, bytes.count, file)
        guard count == bytes.count else { throw RawError.system(call: "fwrite", errno: 0) }
    }

    deinit { unsafe _ = unlink(path) }
}
