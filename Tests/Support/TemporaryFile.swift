import CPosix

/// A file with some text that is gone when the test is over.
public final class TemporaryFile {
    public let path: String

    public init(_ text: String) throws {
        var name = Array("/tmp/uproxy-test-XXXXXX\0".utf8.map { CChar(bitPattern: $0) })
        let descriptor = unsafe name.withUnsafeMutableBufferPointer { unsafe mkstemp($0.baseAddress!) }
        guard descriptor >= 0 else { throw RawError.system(call: "mkstemp", errno: 0) }
        path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        _ = cposix_close(descriptor)
        try replace(with: text)
    }

    /// Writes another text into it.
    public func replace(with text: String) throws {
        guard let file = unsafe fopen(path, "w") else { throw RawError.system(call: "fopen", errno: 0) }
        defer { unsafe _ = fclose(file) }
        let bytes = Array(text.utf8)
        let count = unsafe fwrite(bytes, 1, bytes.count, file)
        guard count == bytes.count else { throw RawError.system(call: "fwrite", errno: 0) }
    }

    deinit { unsafe _ = unlink(path) }
}
