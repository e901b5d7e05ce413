#if DEBUG || TESTABLE
    internal import Glibc
    @testable internal import UringProxy

    /// HTTP/2 as a server speaks it: each stream becomes a connection of its own to another peer, who reads HTTP/1.1 there.
    ///
    /// Frames are nghttp2's, as the proxy's are: what is tried is what the proxy makes of streams, and not how it reads frames.
    final class Multiplexer {
        private unowned let connection: OriginConnection
        private let world: World
        private let inbox = HTTP2Inbox(headLimit: 1 << 20)
        private let session: HTTP2Session
        private var streams: [Int32: PeerStream] = [:]
        /// No further streams are taken after so many.
        private var streamsLeft: Int
        private var isEnding = false
        private(set) var hasFailed = false

        /// Who answers is `connection`'s likeness.
        init(_ connection: OriginConnection) {
            self.connection = connection
            world = connection.world
            streamsLeft = world.multiplexing.chance(30) ? world.multiplexing.within(1...20) : .max
            session = HTTP2Session(
                inbox, streams: UInt32(world.multiplexing.pick([1, 2, 8, 100])),
                streamWindow: UInt32(world.multiplexing.logarithmic(64...100_000)), connectionWindow: 100_000)!
        }

        deinit { session.free() }

        func received(_ bytes: [UInt8]) {
            if hasFailed { return }
            unsafe bytes.withUnsafeBytes { buffer in
                var rest = unsafe ByteView(buffer)
                repeat {
                    guard let taken = session.receive(rest) else {
                        hasFailed = true
                        world.violate("\(connection.name): what the proxy sends is no HTTP/2")
                        return
                    }
                    handleEvents()
                    rest = rest.dropFirst(taken)
                } while rest.count > 0 || inbox.isInputPaused
            }
            flush()
        }

        /// The connection has gone.
        func end() {
            let ending = streams.values
            streams.removeAll()
            for stream in ending { stream.end(reset: true) }
        }

        var isIdle: Bool { streams.isEmpty }

        private func handleEvents() {
            for index in 0..<inbox.eventCount {
                let event = inbox.event(index)
                switch event.kind {
                case .head: begin(event)
                case .data: streams[event.stream]?.take((0..<event.data.count).map { event.data[$0] })
                case .end: streams[event.stream]?.takeEnd([])
                case .trailers:
                    streams[event.stream]?.takeEnd(
                        event.fields.flatMap { place -> [UInt8] in
                            let field = inbox.field(place)
                            return (0..<field.name.count).map { field.name[$0] } + Array(": ".utf8)
                                + (0..<field.value.count).map { field.value[$0] } + Array("\r\n".utf8)
                        })
                case .closed: streams.removeValue(forKey: event.stream)?.end(reset: event.ends)
                case .left: break
                }
            }
        }

        private func begin(_ event: HTTP2Event) {
            guard let head = HTTP2RequestHead(event.fields, of: inbox, ends: event.ends) else {
                world.violate("\(connection.name): a request that is malformed")
                return
            }
            if !world.profile.isStrict && world.multiplexing.chance(3) {
                session.reset(event.stream, .refusedStream)
                return
            }
            streamsLeft -= 1
            if streamsLeft == 0 {
                isEnding = true
                session.refuseStreams(after: event.stream)
            }
            // The authority stands there twice.
            let size = 2 * inbox.sizeOfHead(event.fields)
            let text = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                var writer = unsafe ByteWriter(base: buffer.baseAddress!, capacity: size)
                head.write(event.fields, of: inbox, toProxy: false, key: .empty, into: &writer)
                count = writer.count
            }
            let stream = PeerStream(self, world, event.stream, head.method, head.framing)
            streams[event.stream] = stream
            unsafe session.bind(event.stream, to: stream.body)
            let (own, other) = world.makePair(stream, nil)
            stream.socket = own
            connection.makeLikeness(name: "\(connection.name)/\(event.stream)", other)
            stream.send(text)
            if event.ends { stream.takeEnd([]) }
        }

        // MARK: - What leaves

        func flush() {
            if hasFailed { return }
            var bytes: [UInt8] = []
            while true {
                inbox.allowToSend(1 << 16)
                guard let more = session.send() else {
                    hasFailed = true
                    return
                }
                var ended: [PeerStream] = []
                for index in 0..<inbox.sentCount {
                    let frame = inbox.sent(index)
                    guard let stream = streams[Int32(bitPattern: frame.slot)] else { continue }
                    bytes +=
                        (0..<frame.header.count).map { frame.header[$0] }
                        + stream.takeContent(Int(frame.size))
                    if frame.ends { ended.append(stream) }
                }
                bytes += (0..<more.count).map { more[$0] }
                let isLast = more.isEmpty && inbox.sentCount == 0
                handleEvents()
                for stream in ended { stream.sendTrailers(session) }
                if isLast { break }
            }
            if !bytes.isEmpty { connection.add(.bytes(bytes)) }
            if isEnding && streams.isEmpty {
                isEnding = false
                connection.add(.close)
            }
            connection.run()
        }

        func respond(_ stream: PeerStream, _ text: [UInt8]) {
            var fields = FieldTable(capacity: 256)
            var head = ResponseHead()
            var made = HTTP2Fields()
            let isMade = unsafe text.withUnsafeBytes { buffer in
                let bytes = unsafe ByteView(buffer)
                let status = ResponseParser.parse(
                    bytes, requestMethod: stream.method, limits: HeadLimits(headBytes: 1 << 20),
                    fields: &fields,
                    head: &head)
                guard status == .complete, head.status != 101 else { return false }
                made.set(head, status: head.status, fields, bytes)
                if head.isInterim { return unsafe session.inform(stream.id, made.fields, made.count) }
                stream.begin(head.framing)
                return unsafe session.respond(
                    stream.id, made.fields, made.count, body: head.framing == .none ? nil : stream.body)
            }
            if !isMade { fail(stream) }
        }

        func resume(_ stream: PeerStream) { session.resume(stream.id) }
        func consume(_ stream: PeerStream, _ size: Int) { session.consume(stream.id, size) }

        /// Nothing more comes of a response that is not whole.
        func fail(_ stream: PeerStream) { session.reset(stream.id, .internalError) }
    }

    /// A stream's connection to whom it is answered by.
    @safe final class PeerStream: SocketOwner {
        private unowned let multiplexer: Multiplexer
        private let world: World
        let id: Int32
        let method: Method
        private let framing: HTTP2Framing
        var socket: Socket?
        let body: UnsafeMutablePointer<HTTP2Body>
        private var reader = MessageReader()
        // What is on its way to the peer.
        private var pending: [UInt8] = []
        private var unconsumed = 0
        // And from it.
        private var content: [UInt8] = []
        private var trailers: [UInt8] = []
        private var isAnswered = false
        /// Nothing more is read.
        private var isWhole = false

        init(
            _ multiplexer: Multiplexer, _ world: World, _ id: Int32, _ method: Method, _ framing: HTTP2Framing
        ) {
            self.multiplexer = multiplexer
            self.world = world
            self.id = id
            self.method = method
            self.framing = framing
            unsafe body = .allocate(capacity: 1)
            unsafe body.initialize(to: HTTP2Body(of: UInt32(bitPattern: id)))
        }

        deinit { unsafe body.deallocate() }

        // MARK: - The request

        func send(_ bytes: [UInt8]) {
            pending += bytes
            push()
        }

        func take(_ data: [UInt8]) {
            unconsumed += data.count
            let isChunked = framing == .chunked
            send(
                (isChunked ? Array("\(String(data.count, radix: 16))\r\n".utf8) : []) + data
                    + (isChunked ? Array("\r\n".utf8) : []))
        }

        func takeEnd(_ trailers: [UInt8]) {
            if framing == .chunked { send(Array("0\r\n".utf8) + trailers + Array("\r\n".utf8)) }
        }

        private func push() {
            guard let socket, !socket.isClosed else { return }
            while !pending.isEmpty {
                let result = socket.write(pending[...])
                // Who takes no more of it may still answer.
                if result < 0 { pending.removeAll() } else { pending.removeFirst(result) }
                if result == 0 { return }
            }
            if unconsumed > 0 {
                multiplexer.consume(self, unconsumed)
                unconsumed = 0
            }
        }

        func socketWritable(_ socket: Socket) {
            push()
            multiplexer.flush()
        }

        // MARK: - The response

        func begin(_ framing: BodyFraming) {
            isAnswered = true
            switch framing {
            case .none: reader.begin(.none)
            case .length(let size): reader.begin(.length(Int(size)))
            case .chunked: reader.begin(.chunked)
            case .untilClose: reader.begin(.untilClose)
            }
        }

        func socketReadable(_ socket: Socket) {
            read()
            multiplexer.flush()
        }

        private func read() {
            while let socket, !socket.isClosed, !isWhole, content.count < 65_536 {
                let result = unsafe socket.take(.max) { unsafe reader.feed($0) }
                if result == -Int(EAGAIN) { return }
                if result <= 0 {
                    if result == 0 && !socket.isReset && isAnswered && reader.isUntilClose {
                        isWhole = true
                        offer()
                    } else {
                        isWhole = true
                        multiplexer.fail(self)
                    }
                    return
                }
                parse()
            }
        }

        private func parse() {
            while !isWhole, let event = reader.next() {
                switch event {
                case .head(let head):
                    let lines = head.fields.map { "\($0.name): \($0.value)\r\n" }.joined()
                    multiplexer.respond(
                        self, Array("\(head.startLine.joined(separator: " "))\r\n\(lines)\r\n".utf8))
                case .body(let range): content += reader.buffer[range]
                case .trailer(let name, let value): trailers += Array("\(name): \(value)\r\n".utf8)
                case .end: isWhole = isAnswered
                case .invalid:
                    isWhole = true
                    multiplexer.fail(self)
                    return
                }
            }
            offer()
        }

        private func offer() {
            guard isAnswered else { return }
            let isDue = unsafe body.pointee.offer(
                UInt32(content.count), isLast: isWhole, hasTrailers: !trailers.isEmpty)
            if isDue { multiplexer.resume(self) }
        }

        /// Leaves with a frame.
        func takeContent(_ size: Int) -> [UInt8] {
            defer {
                content.removeFirst(size)
                if size > 0 { world.schedule(after: 0) { [self] in if socket?.isClosed == false { read() } } }
            }
            return Array(content[..<size])
        }

        func sendTrailers(_ session: HTTP2Session) {
            if trailers.isEmpty { return }
            var fields = FieldTable(capacity: 16)
            var made = HTTP2Fields()
            let text = trailers + Array("\r\n".utf8)
            unsafe text.withUnsafeBytes { buffer in
                let bytes = unsafe ByteView(buffer)
                _ = TrailerParser.parse(bytes, limits: HeadLimits(), fields: &fields)
                made.set(fields, bytes)
                _ = unsafe session.conclude(id, made.fields, made.count)
            }
            trailers = []
        }

        // MARK: - Ends

        func end(reset: Bool) {
            guard let socket, !socket.isClosed else { return }
            socket.close(reset: reset)
            self.socket = nil
        }
    }
#endif
