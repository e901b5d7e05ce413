internal import CPosix

/// Small text files as procfs and sysfs show them; a test gives a table in their place.
struct TextFiles: Sendable {
    /// The whole text of a file, or nil if it cannot be read.
    let read: @Sendable (_ path: String) -> String?

    static let system = TextFiles { path in readFile(path) }

    /// A file with one number in it.
    func number(_ path: String) -> UInt64? { read(path).flatMap { UInt64(trimmed($0)) } }

    /// A file with one word or line in it.
    func line(_ path: String) -> String? {
        read(path).map { String(trimmed($0)) }
    }

    private static func readFile(_ path: String) -> String? {
        // A file in procfs has no size to ask for. The largest read here, modules.dep, is below a megabyte.
        var capacity = 16 << 10
        while capacity <= 4 << 20 {
            var size = 0
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
                size = unsafe cposix_read_file(path, buffer.baseAddress, buffer.count)
                count = max(size, 0)
            }
            if size < 0 { return nil }
            if size < capacity { return String(decoding: bytes, as: UTF8.self) }
            capacity *= 4
        }
        return nil
    }
}

/// Without white space at either end.
func trimmed(_ text: some StringProtocol) -> Substring {
    let space: (Character) -> Bool = { $0 == " " || $0 == "\n" || $0 == "\t" }
    var rest = Substring(text)
    while let last = rest.last, space(last) { rest.removeLast() }
    return rest.drop(while: space)
}
