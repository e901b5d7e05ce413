internal import COpenSSL

/// What a session is taken up again by: a handle, like an index, that whoever has it gives back with `free`.
@safe struct TLSTicket: BitwiseCopyable {
    /// `SSL_SESSION`.
    let pointer: OpaquePointer

    @unsafe
    init(_ pointer: OpaquePointer) { unsafe self.pointer = pointer }

    /// Whether more than one session may go on with it.
    var isLasting: Bool { unsafe copenssl_ticket_is_lasting(pointer) == 1 }

    func free() { unsafe copenssl_ticket_free(pointer) }
}
