internal import COpenSSL
internal import CPosix

/// The secrets of sessions in a file (SSLKEYLOGFILE), for who looks at what was recorded of them: whoever has it reads all traffic.
enum TLSKeyLog {
    /// Contexts that are made from now on write them there, behind what it holds.
    static func open(_ path: String) throws(SystemCallError) {
        let descriptor = unsafe cposix_open_for_appending(path)
        if descriptor < 0 { throw SystemCallError(call: "open", errno: -descriptor) }
        copenssl_log_keys(descriptor)
    }
}
