/// A question for the resolver's thread: trivial, so that it travels through a queue by copying.
@safe struct ResolverQuery: BitwiseCopyable, Sendable {
    /// Longer than any name may be, so that a name too long is refused in one place (`HostName`).
    static let maximumNameSize = 255

    /// Echoed in the answer; it means nothing to the resolver.
    let token: UInt64
    /// Which inbox the answer goes to, from `Resolver.register`.
    let inbox: Int
    private let nameSize: UInt16
    private var nameBytes = InlineArray<256, UInt8>(repeating: 0)

    /// - Parameter name: a name or an address, in brackets or without; nil is the answer if it is empty or
    ///   longer than 255 bytes.
    init?(name: ByteView, inbox: Int, token: UInt64) {
        guard name.count > 0 && name.count <= ResolverQuery.maximumNameSize else { return nil }
        self.token = token
        self.inbox = inbox
        nameSize = UInt16(name.count)
        unsafe withUnsafeMutableBytes(of: &nameBytes) { bytes in
            unsafe name.copy(to: bytes.baseAddress!.assumingMemoryBound(to: UInt8.self))
        }
    }

    /// Lends the name; the view ends with the closure.
    @inline(__always)
    func withName<Result>(_ body: (ByteView) -> Result) -> Result {
        unsafe withUnsafeBytes(of: nameBytes) { bytes in
            unsafe body(ByteView(UnsafeRawBufferPointer(rebasing: bytes[0..<Int(nameSize)])))
        }
    }
}
