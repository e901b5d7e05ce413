/// The TLS of one check: bytes of its socket go in, bytes for it come out, and those of the answer.
final class HealthTLS {
    enum Progress: Equatable {
        /// Bytes of the answer.
        case goesOn([UInt8])
        /// The last ones.
        case ended([UInt8])
        /// Why the endpoint is unhealthy.
        case failed(String)
    }

    private let tls: EndpointTLS
    private let wire = TLSWire()
    private let session: TLSSession
    private let request: [UInt8]
    /// The handshake is over.
    private(set) var isOpen = false
    private var output: [UInt8] = []
    private var plaintext = [UInt8](repeating: 0, count: TLSWire.recordSize)

    /// Begins the handshake; nil without memory.
    ///
    /// - Parameter request: what is sent when it is over.
    init?(_ tls: EndpointTLS, request: [UInt8], protocols: ApplicationProtocols) {
        guard let session = tls.makeSession(wire, protocols: protocols) else { return nil }
        self.tls = tls
        self.session = session
        self.request = request
        _ = advance()
    }

    deinit { session.free() }

    /// What is for the socket, less what was taken before.
    func takeOutput() -> [UInt8] {
        defer { output = [] }
        return output
    }

    /// Bytes have come on the socket.
    func received(_ bytes: ArraySlice<UInt8>) -> Progress {
        unsafe bytes.withUnsafeBytes { buffer in
            wire.offer(unsafe ByteView(buffer))
            return advance()
        }
    }

    /// Nothing more is wanted: the endpoint is told so.
    func end() { if isOpen { _ = writing { session.end() } } }

    private func advance() -> Progress {
        while !isOpen {
            let outcome = writing { session.shakeHands() }
            switch outcome {
            case .done:
                isOpen = true
                send(request)
            case .wantsRoom: break
            case .wantsInput: return .goesOn([])
            case .failed(let failure): return .failed(Self.text(failure))
            case .ended: return .failed("the TLS handshake with it failed")
            }
        }
        var answer: [UInt8] = []
        while true {
            let outcome = unsafe plaintext.withUnsafeMutableBufferPointer { buffer in
                writing { unsafe session.read(into: buffer.baseAddress!, size: buffer.count) }
            }
            switch outcome {
            case .done(let size): answer += plaintext[..<size]
            case .wantsRoom: break
            case .wantsInput: return .goesOn(answer)
            case .ended: return .ended(answer)
            case .failed: return .failed("it ended TLS with an alert, or sent what cannot be decrypted")
            }
        }
    }

    /// Sends bytes, once the handshake is over.
    func send(_ text: [UInt8]) {
        if text.isEmpty { return }
        unsafe text.withUnsafeBytes { buffer in
            let bytes = unsafe ByteView(buffer)
            _ = writing { session.write(bytes) }
        }
    }

    private func writing(_ body: () -> TLSSession.Outcome) -> TLSSession.Outcome {
        wire.collect()
        let outcome = body()
        let written = wire.written
        output += (0..<written.count).map { written[$0] }
        if wire.hasTickets { tls.keepTickets(wire) }
        return outcome
    }

    private static func text(_ failure: TLSFailure) -> String {
        switch failure {
        case .certificateUnknown, .certificateRevoked, .certificateMissing:
            "its certificate leads to no authority that is trusted here"
        case .certificateExpired: "its certificate has expired, or is not valid yet"
        case .certificateOfAnother: "its certificate is for another host"
        case .alerted, .incompatible, .malformed: "the TLS handshake with it failed"
        }
    }
}
