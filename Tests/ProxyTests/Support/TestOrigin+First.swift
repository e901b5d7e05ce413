import CPosix

extension [TestOrigin] {
    /// The next connection to any of them, and to which.
    func firstToAccept() throws -> (socket: TestSocket, origin: Int) {
        _ = try wait(for: map(\.descriptor))
        for (index, origin) in enumerated() {
            if let socket = origin.acceptNow() { return (socket, index) }
        }
        throw TestFailure("nobody connects")
    }

    /// A connection that is there already if something comes on it, else, also when it ends, the next one.
    func firstToAcceptOrReceive(_ known: TestSocket) throws -> TestSocket {
        let isFirst = try wait(for: [known.descriptor] + map(\.descriptor)) == 0
        var byte: UInt8 = 0
        if isFirst, unsafe recv(known.descriptor, &byte, 1, Int32(CPOSIX_MSG_PEEK)) > 0 { return known }
        return try firstToAccept().socket
    }

    /// Which of them is readable first.
    private func wait(for descriptors: [Int32]) throws -> Int {
        var polled = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        unsafe _ = poll(&polled, nfds_t(polled.count), Int32(TestSocket.patience / 1_000_000))
        guard let index = polled.firstIndex(where: { $0.revents != 0 }) else {
            throw TestFailure("nobody connects, and nothing comes")
        }
        return index
    }
}
