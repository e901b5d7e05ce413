import CPosix

/// A directory that is gone, with all files in it, when the test is over.
public final class TemporaryDirectory {
    /// Ends with a slash.
    public let path: String

    public init() throws {
        var name = Array("/tmp/uproxy-test-XXXXXX\0".utf8.map { CChar(bitPattern: $0) })
        let isMade = unsafe name.withUnsafeMutableBufferPointer { unsafe mkdtemp($0.baseAddress!) != nil }
        guard isMade else { throw RawError.system(call: "mkdtemp", errno: 0) }
        path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self) + "/"
    }

    /// The names in it, sorted.
    public var names: [String] {
        let names = Names()
        _ = unsafe cposix_each_name(
            path,
            { context, name in
                guard let context = unsafe context, let name = unsafe name else { return }
                let text = unsafe String(cString: name)
                if text != "." && text != ".." {
                    unsafe Unmanaged<Names>.fromOpaque(context).takeUnretainedValue().all.append(text)
                }
            }, Unmanaged.passUnretained(names).toOpaque())
        return names.all.sorted()
    }

    /// What a file in it holds.
    public func bytes(_ name: String) -> [UInt8] {
        guard let file = unsafe fopen(path + name, "r") else { return [] }
        defer { unsafe _ = fclose(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe fread(&piece, 1, piece.count, file)
            if count == 0 { return bytes }
            bytes += piece[..<count]
        }
    }

    public func text(_ name: String) -> String { String(decoding: bytes(name), as: UTF8.self) }

    private final class Names {
        var all: [String] = []
    }

    deinit {
        for name in names { unsafe _ = unlink(path + name) }
        unsafe _ = rmdir(path)
    }
}
