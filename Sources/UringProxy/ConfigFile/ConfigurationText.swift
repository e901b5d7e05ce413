internal import CPosix

/// Where the texts of configuration files come from; a test gives a table in their place.
public struct ConfigurationText: Sendable {
    /// The bytes of a file, or why there are none.
    let read: @Sendable (_ path: String) -> Result<[UInt8], SystemCallError>
    /// The files whose paths match a pattern of the shell's, in order.
    let match: @Sendable (_ pattern: String) -> [String]

    /// Larger files are no configuration.
    static let sizeLimitBytes = 16 << 20

    static let system = ConfigurationText(
        read: { path in
            do throws(SystemCallError) {
                return .success(try WholeFile.read(path, limitBytes: sizeLimitBytes))
            } catch {
                return .failure(error)
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
