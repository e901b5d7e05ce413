#if DEBUG || TESTABLE
    @testable internal import UringProxy

    /// A driver without a kernel underneath: time is virtual, and what completes, when and how is chance from one seed.
    struct SimulatedDriver: Driver, ~Copyable {
        static var name: StaticString { "simulated" }

        let kernel: Kernel

        var statistics: DriverStatistics { kernel.statistics }
        var now: Int64 { kernel.now }

        mutating func makeSocket(for address: SocketAddress) -> Int32 { kernel.makeSocket() }

        mutating func accept(_ listener: Int32, token: OperationToken) { kernel.accept(listener, token) }

        mutating func acceptNow(_ listener: Int32) -> Int32 { kernel.acceptNow(listener) }

        mutating func connect(_ descriptor: Int32, to address: SocketAddress, token: OperationToken) {
            kernel.connect(descriptor, address, token)
        }

        mutating func receive(_ descriptor: Int32, into target: ReceiveTarget, token: OperationToken) {
            kernel.receive(descriptor, target, token)
        }

        mutating func send(_ descriptor: Int32, _ queue: SegmentQueue, promptly: Bool, token: OperationToken)
        {
            kernel.send(descriptor, queue, promptly: promptly, token)
        }

        mutating func sendZeroCopy(_ descriptor: Int32, _ segment: Segment, token: OperationToken) {
            kernel.sendZeroCopy(descriptor, segment, token)
        }

        func canSendZeroCopy(_ slice: SliceID) -> Bool {
            kernel.world.profile.zeroCopy && slice.sliceClass.rawValue >= SliceClass.medium.rawValue
                && slice.index % 4 != 3
        }

        mutating func leasePipe() -> PipeID? { kernel.leasePipe() }

        mutating func returnPipe(_ pipe: PipeID) { kernel.returnPipe(pipe) }

        mutating func send(_ descriptor: Int32, from pipe: PipeID, size: UInt32, token: OperationToken) {
            kernel.send(descriptor, from: pipe, size: Int(size), token)
        }

        mutating func read(_ pipe: PipeID, into slice: SliceID) -> Int32 {
            unsafe kernel.pipes.read(
                pipe, into: kernel.arena.address(slice), size: slice.sliceClass.sliceSize)
        }

        mutating func cancel(_ descriptor: Int32, token: OperationToken) { kernel.cancel(descriptor, token) }

        mutating func shutdown(_ descriptor: Int32, _ direction: ShutdownDirection) {
            kernel.shutdown(descriptor, direction)
        }

        mutating func sendAtOnce(_ descriptor: Int32, _ bytes: ByteView) {
            kernel.sendAtOnce(descriptor, (0..<bytes.count).map { bytes[$0] })
        }

        mutating func encrypt(_ descriptor: Int32, with keys: ByteView) -> Int32 {
            kernel.encrypt(descriptor, (0..<keys.count).map { keys[$0] })
        }

        mutating func sendEnd(_ descriptor: Int32, token: OperationToken) {
            kernel.sendAlert(descriptor, .closeNotify, token)
        }

        mutating func sendAlertAtOnce(_ descriptor: Int32, _ alert: TLSAlert) {
            kernel.sendAlertAtOnce(descriptor, alert)
        }

        mutating func close(_ descriptor: Int32, reset: Bool) { kernel.close(descriptor, reset: reset) }

        mutating func detach(_ descriptor: Int32) { kernel.detach(descriptor) }

        mutating func unsentBytes(_ descriptor: Int32) -> Int32 {
            Int32(clamping: kernel.socket(descriptor)?.unacknowledged ?? 0)
        }

        mutating func peerAddress(_ descriptor: Int32) -> SocketAddress? { kernel.socket(descriptor)?.remote }

        mutating func localAddress(_ descriptor: Int32) -> SocketAddress? { kernel.socket(descriptor)?.local }

        mutating func isQuiet(_ descriptor: Int32) -> Bool { kernel.isQuiet(descriptor) }

        var receivableSlices: Int { kernel.receivableSlices }

        mutating func trim() {}

        mutating func turn(until deadline: Int64) { kernel.turn() }

        mutating func next() -> Completion? { kernel.next() }
    }
#endif
