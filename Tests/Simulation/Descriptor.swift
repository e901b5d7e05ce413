#if DEBUG || TESTABLE
    @testable internal import UringProxy

    /// An open descriptor: what it names, whose it is, and what is under way on it.
    final class Descriptor {
        enum Kind {
            case socket
            case listener(ListenSocket)
        }

        let number: Int32
        let kind: Kind
        /// The kernel of the engine that uses it; nil between two workers.
        var owner: Kernel?
        /// nil until connected.
        var socket: Socket?

        var receive: Operation?
        var send: Operation?
        var connect: Operation?
        var accept: Operation?
        var isClosing = false
        /// Completions of one descriptor that tell of an end keep their order.
        var lastReadyAt: Int64 = 0
        var wasShutDown = false

        init(_ number: Int32, _ kind: Kind, owner: Kernel?) {
            self.number = number
            self.kind = kind
            self.owner = owner
        }

        func dispose() {
            owner = nil
            socket = nil
            receive = nil
            send = nil
            connect = nil
            accept = nil
        }

        var isQuiet: Bool { receive == nil && send == nil && connect == nil && accept == nil }
    }

    /// What an engine asked for, until it has heard the end of it.
    final class Operation {
        let token: OperationToken
        let descriptor: Descriptor
        let number: Int
        /// Submitted: the kernel may work on it.
        var isActive = false
        /// Its last completion is on the way.
        var isFinished = false
        var lastReadyAt: Int64 = 0

        // Receive.
        var target = ReceiveTarget.stream
        // Send.
        var segments: [Segment] = []
        var size = 0
        /// Sent from, if not from segments.
        var pipe = PipeID.none
        var checksum: UInt64 = 0
        var isQuiet = false
        var isZeroCopy = false
        /// Sent instead of bytes.
        var alert: TLSAlert?
        // Connect.
        var address: SocketAddress?
        /// The connection was made; the completion is on its way.
        var injected: Int32 = 0

        init(_ token: OperationToken, _ descriptor: Descriptor, number: Int) {
            self.token = token
            self.descriptor = descriptor
            self.number = number
        }
    }
#endif
