internal import CPosix

/// Where the texts of configuration files come from; a test gives a table in their place.
public struct ConfigurationText: Sendable {
    /// The bytes of a file, or why there are none (`errno`).
    let read: @Sendable (_ path: String) -> Result<[UInt8], SystemCallFailure>
    /// The files whose paths match a pattern of the shell's, in order.
    let match: @Sendable (_ pattern: String) -> [String]

    struct SystemCallFailure: Error { let errno: Int32 }

    /// Larger files are no configuration.
    static let sizeLimitBytes = 16 << 20

    static let system = ConfigurationText(
        read: { path in
            var capacity = 64 << 10
            while true {
                var size = 0
                let bytes = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
                    size = unsafe cposix_read_file(path, buffer.baseAddress, buffer.count)
                    count = max(size, 0)
                }
                if size < 0 { return .failure(SystemCallFailure(errno: Int32(-size))) }
                if size < capacity { return .success(bytes) }
                if capacity > sizeLimitBytes { return .failure(SystemCallFailure(errno: EFBIG)) }
                capacity *= 4
            }
        },
        match: { pattern in
            var found = unsafe glob_t()
            defer { unsafe globfree(&found) }
            guard unsafe glob(pattern, 0, nil, &found) == 0 else { return [] }
            return (0..<Int(unsafe found.gl_pathc)).compactMap { index in
                guard let path = unsafe found.gl_pathv[index] else { return nil }
                return unsafe String(cString: path)
            }
        })
}
