internal import CPosix

/// Standard input, of which only the end matters.
struct Input {
    private(set) var isAtEnd = false

    /// Takes what has come, without waiting.
    mutating func read() {
        var bytes = [UInt8](repeating: 0, count: 4096)
        while !isAtEnd && cposix_poll_readable(STDIN_FILENO) != 0 {
            let size = unsafe bytes.withUnsafeMutableBytes {
                unsafe cposix_read(STDIN_FILENO, $0.baseAddress!, $0.count)
            }
            isAtEnd = size <= 0
        }
    }
}
