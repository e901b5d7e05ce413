/// The header of the PROXY protocol: what a proxy says of a connection that it relays, before the connection's first byte.
///
/// Sections are those of the specification, HAProxy's `doc/proxy-protocol.txt`. Nothing is guessed from the bytes (section 2):
/// whoever asks knows that a header has to be there, and a connection without one is refused.
struct ProxyHeader: BitwiseCopyable, Equatable {
    enum Version: UInt8, BitwiseCopyable, Sendable {
        case v1 = 1
        case v2
    }

    /// Whose connection it is.
    enum Subject: BitwiseCopyable, Equatable {
        /// That of a client of the sender.
        case relayed(AddressPair)
        /// The sender's own, as for a health check (section 2.2, LOCAL).
        case local
        /// Of a kind that has no addresses we could take over: UNKNOWN, unix sockets, datagrams.
        case unknown
    }

    enum Verdict: BitwiseCopyable, Equatable {
        case complete(ProxyHeader)
        /// A header may begin like this; come again with more bytes.
        case incomplete
        case invalid(ProxyHeaderError)
    }

    /// In bytes. What follows is the connection's own.
    let size: Int
    let subject: Subject

    /// Both ends of the relayed connection; nil: the socket's own addresses hold.
    var addresses: AddressPair? {
        if case .relayed(let addresses) = subject { addresses } else { nil }
    }

    /// Reads the header of either version that stands at the start of `bytes`. What cannot become one is refused as soon as
    /// that is certain (section 2.1).
    ///
    /// - Parameter limit: the most bytes of a header of version 2, extensions included; one of version 1 has its own limit.
    static func parse(_ bytes: ByteView, limit: Int) -> Verdict {
        guard !bytes.isEmpty else { return .incomplete }
        do throws(ProxyHeaderError) {
            let isBinary = bytes[0] == UInt8(ascii: "\r")
            guard let header = try isBinary ? parseBinary(bytes, limit: limit) : parseText(bytes) else {
                return .incomplete
            }
            return .complete(header)
        } catch {
            return .invalid(error)
        }
    }
}

extension ByteView {
    /// Whether they begin with `text`, or could if there were more of them.
    func agrees(with text: StaticString) -> Bool {
        for index in 0..<min(count, text.utf8CodeUnitCount) {
            if unsafe self[index] != text.utf8Start[index] { return false }
        }
        return true
    }
}
