internal import CPosix

/// Makes listening sockets.
enum ListenerSocket {
    /// A socket that listens on `address`; for IP addresses one of several that share it (SO_REUSEPORT): the kernel
    /// spreads connections over them. One socket with an accept on every ring is not balanced: all connections go to
    /// the ring that asked first (measured on 6.18).
    static func listen(_ address: SocketAddress) throws(StartError) -> Int32 {
        let type = Int32(CPOSIX_SOCK_STREAM | CPOSIX_SOCK_CLOEXEC)
        let descriptor = cposix_socket(address.family, type, 0)
        guard descriptor >= 0 else { throw failure(address, "socket", descriptor) }
        func check(_ call: String, _ result: Int32) throws(StartError) {
            if result >= 0 { return }
            _ = cposix_close(descriptor)
            throw failure(address, call, result)
        }
        if address.isUnix {
            removeStale(address)
        } else {
            // Restarts: addresses in TIME-WAIT are no obstacle.
            try check("SO_REUSEADDR", cposix_setsockopt_int(descriptor, SOL_SOCKET, SO_REUSEADDR, 1))
            try check("SO_REUSEPORT", cposix_setsockopt_int(descriptor, SOL_SOCKET, SO_REUSEPORT, 1))
            // Inherited by what is accepted: no call per connection.
            SocketOptions.setNoDelay(descriptor)
        }
        unsafe try check("bind", address.withSockaddr { unsafe cposix_bind(descriptor, $0, $1) })
        // The kernel cuts the backlog to net.core.somaxconn.
        try check("listen", cposix_listen(descriptor, 65_535))
        return descriptor
    }

    /// At least one listener for each of `count` threads on the same address, and that address, with the port that the kernel
    /// chose where 0 was asked.
    ///
    /// - Parameters:
    ///   - role: what the listener is for.
    ///   - predecessor: what it listened on goes on being listened on. Connections may wait in each of its sockets, so
    ///     that none is left out if there are more of them than threads.
    static func listen(
        _ text: String, count: Int, role: String = "", takingOver predecessor: Predecessor? = nil
    ) throws(StartError) -> (descriptors: [Int32], address: SocketAddress) {
        var address: SocketAddress
        do throws(SocketAddressError) { address = try SocketAddress(parsing: text) } catch {
            throw StartError(message: error.message)
        }
        var descriptors: [Int32] = []
        if let taken = predecessor?.take(address, role: role) { (descriptors, address) = taken }
        let takenCount = descriptors.count
        do throws(StartError) {
            for index in takenCount..<max(count, takenCount) {
                let sharesOne = address.isUnix && index > 0
                if takenCount == 0 || sharesOne {
                    descriptors.append(sharesOne ? try share(descriptors[0]) : try listen(address))
                } else if let more = try? listen(address) {
                    descriptors.append(more)
                } else {
                    // Who has given up its rights since may not add to a low port, or to another user's: a thread shares.
                    descriptors.append(try share(descriptors[index % takenCount]))
                }
                if index == 0, let actual = SocketAddress(boundBy: descriptors[0]) { address = actual }
            }
        } catch {
            for descriptor in descriptors { _ = cposix_close(descriptor) }
            throw error
        }
        return (descriptors, address)
    }

    /// The same listener for another worker: a unix socket cannot be bound twice.
    static func share(_ descriptor: Int32) throws(StartError) -> Int32 {
        let copy = cposix_duplicate(descriptor)
        guard copy >= 0 else {
            throw StartError(message: "out of descriptors for listeners; raise ulimit -n")
        }
        return copy
    }

    /// A socket file that nobody listens on was left by a process that ended without removing it.
    private static func removeStale(_ address: SocketAddress) {
        let probe = cposix_socket(address.family, Int32(CPOSIX_SOCK_STREAM | CPOSIX_SOCK_CLOEXEC), 0)
        guard probe >= 0 else { return }
        defer { _ = cposix_close(probe) }
        let result = unsafe address.withSockaddr { unsafe cposix_connect(probe, $0, $1) }
        if result == -ECONNREFUSED { removeFile(address) }
    }

    /// Removes the file of a unix socket.
    static func removeFile(_ address: SocketAddress) {
        guard address.isUnix else { return }
        let path = address.description.dropFirst("unix:".count)
        if path.hasPrefix("@") { return }
        unsafe String(path).withCString { unsafe _ = unlink($0) }
    }

    private static func failure(_ address: SocketAddress, _ call: String, _ result: Int32) -> StartError {
        let why =
            switch -result {
            case EADDRINUSE: "another process listens there; stop it, or choose another port"
            case EACCES: "not permitted; ports below 1024 need CAP_NET_BIND_SERVICE"
            case EADDRNOTAVAIL: "no interface of this machine has that address"
            case EMFILE, ENFILE: "out of descriptors; raise ulimit -n"
            default: "\(call) failed with errno \(-result)"
            }
        return StartError(message: "cannot listen on \(address.description): \(why)")
    }
}
