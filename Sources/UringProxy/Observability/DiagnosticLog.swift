internal import CPosix

/// Where the process tells its operator what has changed, a line each. Never called by workers: a line may take its time.
public struct DiagnosticLog: Sendable {
    let write: @Sendable (String) -> Void

    public init(write: @escaping @Sendable (String) -> Void) { self.write = write }

    /// Each line in one write, so that lines of several threads do not mix.
    public static var standardError: DiagnosticLog {
        DiagnosticLog { line in
            let bytes = Array("uproxy: \(line)\n".utf8)
            unsafe bytes.withUnsafeBytes { unsafe _ = cposix_write(2, $0.baseAddress!, $0.count) }
        }
    }
}
