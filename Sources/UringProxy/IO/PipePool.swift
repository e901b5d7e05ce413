internal import CPosix

/// Names a pipe of a driver's pool.
struct PipeID: BitwiseCopyable, Equatable {
    /// One more than the index, so that memory full of zeros names no pipe.
    private let number: UInt16

    init(index: UInt16) { number = index &+ 1 }

    var index: UInt16 { number &- 1 }

    static var none: PipeID { PipeID(index: .max) }
}

/// A worker's pipes, through which long streams pass without a copy: `splice(2)` moves pages from one socket to the pipe
/// and from there to the other.
///
/// At most `limit` of them are open. An empty one that is given back is kept for the next stream; one with bytes in it is
/// closed, for they are nobody's. The pool makes the calls; when to make them is the driver's business.
///
/// A field of a pipe is changed in place through a pointer to the pipe: through the subscript of `pipes` Swift 6.3 makes
/// invalid code of it for the thread sanitizer.
@safe struct PipePool: ~Copyable {
    /// All that an unprivileged process may ask for by default (fs.pipe-max-size). What fits is pages, not bytes: 256, each
    /// holding up to what one fragment of a received packet does.
    static let wantedSize: Int32 = 1 << 20
    /// Below this copying is as good: with the default pipe of 64 KiB splicing costs more than receives of 256 KiB do.
    static let leastSize: Int32 = 256 << 10
    /// How long the kernel is not asked for another pipe after it has refused one (nanoseconds).
    private static let refusalPause: Int64 = 1_000_000_000

    /// What is under way between a pipe and a socket.
    struct Transfer: BitwiseCopyable {
        var token = OperationToken(rawValue: 0)
        var descriptor: Int32 = -1
        var size: UInt32 = 0
        var isUnderWay = false
    }

    private struct Pipe: BitwiseCopyable {
        var readEnd: Int32 = -1
        var writeEnd: Int32 = -1
        var capacity: UInt32 = 0
        var byteCount: UInt32 = 0
        var receive = Transfer()
        var send = Transfer()
        /// The last send left bytes over: its socket is full.
        var wasShort = false
        /// Given back while something was under way.
        var isReturned = false
    }

    let limit: Int
    private let pipes: UnsafeMutablePointer<Pipe>
    /// Open and empty, nobody's; the last used on top.
    private let idle: UnsafeMutablePointer<UInt16>
    private var idleCount = 0
    /// Places without a pipe.
    private let vacant: UnsafeMutablePointer<UInt16>
    private var vacantCount: Int
    /// Transfers under way, of all pipes.
    private(set) var transferCount = 0
    private var refusedUntil: Int64 = 0

    /// - Parameter limit: pipes at most; two descriptors each.
    init(limit: Int) {
        precondition(limit < Int(PipeID.none.index))
        self.limit = limit
        unsafe pipes = .allocate(capacity: max(1, limit))
        unsafe idle = .allocate(capacity: max(1, limit))
        unsafe vacant = .allocate(capacity: max(1, limit))
        vacantCount = limit
        for index in 0..<limit {
            unsafe vacant[index] = UInt16(limit - 1 - index)
            unsafe (pipes + index).initialize(to: Pipe())
        }
        if limit > 0 { cposix_ignore_broken_pipes() }
    }

    deinit {
        for index in 0..<idleCount { closeEnds(unsafe Int(idle[index])) }
        unsafe pipes.deallocate()
        unsafe idle.deallocate()
        unsafe vacant.deallocate()
    }

    // MARK: - Leases

    mutating func lease(now: Int64) -> PipeID? {
        if idleCount > 0 {
            idleCount -= 1
            return PipeID(index: unsafe idle[idleCount])
        }
        guard vacantCount > 0, now >= refusedUntil else { return nil }
        guard let pipe = Self.open() else {
            refusedUntil = now + Self.refusalPause
            return nil
        }
        vacantCount -= 1
        let index = unsafe vacant[vacantCount]
        unsafe pipes[Int(index)] = pipe
        return PipeID(index: index)
    }

    /// A pipe as large as the kernel grants: past fs.pipe-user-pages-soft an unprivileged user gets EPERM for more, and
    /// past fs.pipe-max-size for one of that size.
    private static func open() -> Pipe? {
        var pipe = Pipe()
        var size = wantedSize
        while size >= leastSize {
            let granted = unsafe cposix_pipe(&pipe.readEnd, &pipe.writeEnd, size)
            if granted > 0 {
                pipe.capacity = UInt32(granted)
                return pipe
            }
            guard granted == -EPERM else { return nil }
            size /= 2
        }
        return nil
    }

    mutating func giveBack(_ pipe: PipeID) {
        let index = Int(pipe.index)
        unsafe pipes[index].isReturned = true
        retireIfQuiet(index)
    }

    /// Once nobody has anything to do with a pipe any more: to the next user, or closed.
    private mutating func retireIfQuiet(_ index: Int) {
        let pipe = unsafe pipes[index]
        guard pipe.isReturned, !pipe.receive.isUnderWay, !pipe.send.isUnderWay else { return }
        if pipe.byteCount == 0 {
            unsafe pipes[index].isReturned = false
            unsafe idle[idleCount] = UInt16(index)
            idleCount += 1
        } else {
            closeEnds(index)
            unsafe vacant[vacantCount] = UInt16(index)
            vacantCount += 1
        }
    }

    private func closeEnds(_ index: Int) {
        _ = cposix_close(unsafe pipes[index].readEnd)
        _ = cposix_close(unsafe pipes[index].writeEnd)
    }

    // MARK: - Transfers

    /// Notes a receive into a pipe as under way.
    mutating func beginReceive(_ pipe: PipeID, from descriptor: Int32, size: UInt32, token: OperationToken) {
        let index = Int(pipe.index)
        unsafe precondition(
            pipes[index].byteCount == 0 && !pipes[index].receive.isUnderWay && !pipes[index].isReturned,
            "a receive needs an empty pipe of its own")
        unsafe pipes[index].receive = Transfer(
            token: token, descriptor: descriptor, size: min(size, pipes[index].capacity), isUnderWay: true)
        transferCount += 1
    }

    /// Notes a send out of a pipe as under way.
    mutating func beginSend(_ pipe: PipeID, to descriptor: Int32, size: UInt32, token: OperationToken) {
        let index = Int(pipe.index)
        unsafe precondition(
            size > 0 && pipes[index].byteCount >= size && !pipes[index].send.isUnderWay
                && !pipes[index].isReturned,
            "a send takes no more than the pipe holds")
        unsafe pipes[index].send = Transfer(
            token: token, descriptor: descriptor, size: size, isUnderWay: true)
        transferCount += 1
    }

    func receive(of pipe: PipeID) -> Transfer { unsafe pipes[Int(pipe.index)].receive }
    func send(of pipe: PipeID) -> Transfer { unsafe pipes[Int(pipe.index)].send }

    /// Whether its user is gone: what is under way on it moves no byte any more.
    func isReturned(_ pipe: PipeID) -> Bool { unsafe pipes[Int(pipe.index)].isReturned }

    /// Whether the last send left bytes over, so that its socket is full.
    func wasShort(_ pipe: PipeID) -> Bool { unsafe pipes[Int(pipe.index)].wasShort }

    /// The pipe on which the operation with this token is under way; slow, for ends alone.
    func find(_ token: OperationToken) -> (pipe: PipeID, isSend: Bool)? {
        guard transferCount > 0 else { return nil }
        for index in 0..<limit {
            let pipe = unsafe pipes[index]
            if pipe.receive.isUnderWay && pipe.receive.token == token {
                return (PipeID(index: UInt16(index)), false)
            }
            if pipe.send.isUnderWay && pipe.send.token == token {
                return (PipeID(index: UInt16(index)), true)
            }
        }
        return nil
    }

    mutating func endReceive(_ pipe: PipeID) {
        unsafe pipes[Int(pipe.index)].receive.isUnderWay = false
        transferCount -= 1
        retireIfQuiet(Int(pipe.index))
    }

    mutating func endSend(_ pipe: PipeID) {
        unsafe pipes[Int(pipe.index)].send.isUnderWay = false
        transferCount -= 1
        retireIfQuiet(Int(pipe.index))
    }

    /// Moves bytes from the socket of the receive under way: how many; 0 if a plain receive has to look what there is;
    /// `-errno`, of which EAGAIN means that there is nothing yet.
    mutating func fill(_ pipe: PipeID) -> Int32 {
        let pipe = unsafe pipes + Int(pipe.index)
        let transfer = unsafe pipe.pointee.receive
        let to = unsafe pipe.pointee.writeEnd
        var result = cposix_splice(transfer.descriptor, to, Int(transfer.size))
        // Urgent data stops a splice as if there were nothing, and not a plain receive: no wait for it would end. What only
        // came in between is there for a second try.
        if result == -Int(EAGAIN) && cposix_poll_readable(transfer.descriptor) != 0 {
            result = cposix_splice(transfer.descriptor, to, Int(transfer.size))
            if result == -Int(EAGAIN) { result = 0 }
        }
        if result > 0 {
            unsafe pipe.pointee.byteCount += UInt32(result)
            unsafe pipe.pointee.wasShort = false
        }
        return Int32(truncatingIfNeeded: result)
    }

    /// Moves bytes to the socket of the send under way: how many, or `-errno`.
    ///
    /// - Parameter blocks: the socket is in blocking mode.
    mutating func empty(_ pipe: PipeID, blocks: Bool) -> Int32 {
        let pipe = unsafe pipes + Int(pipe.index)
        let transfer = unsafe pipe.pointee.send
        let from = unsafe pipe.pointee.readEnd
        let result =
            blocks
            ? cposix_splice_to_blocking(from, transfer.descriptor, Int(transfer.size))
            : cposix_splice(from, transfer.descriptor, Int(transfer.size))
        if result > 0 { unsafe pipe.pointee.byteCount -= UInt32(result) }
        unsafe pipe.pointee.wasShort = result >= 0 && result < Int(transfer.size)
        return Int32(truncatingIfNeeded: result)
    }

    /// Takes up to `size` bytes out of a pipe by copying them: how many, or `-errno`.
    mutating func read(_ pipe: PipeID, to memory: UnsafeMutableRawPointer, size: Int) -> Int32 {
        let pipe = unsafe pipes + Int(pipe.index)
        let result = unsafe cposix_read(pipe.pointee.readEnd, memory, size)
        if result > 0 { unsafe pipe.pointee.byteCount -= UInt32(result) }
        return Int32(truncatingIfNeeded: result)
    }
}
