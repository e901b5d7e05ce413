/// An alert as the kernel makes a record of it (RFC 8446 §6).
struct TLSAlert: BitwiseCopyable {
    var level: UInt8
    var description: UInt8

    static var closeNotify: TLSAlert { TLSAlert(level: 1, description: 0) }

    static func fatal(_ description: UInt8) -> TLSAlert { TLSAlert(level: 2, description: description) }

    /// internal_error.
    static var internalError: UInt8 { 80 }
}
