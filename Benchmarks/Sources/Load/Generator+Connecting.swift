internal import CPosix

extension Generator {
    /// Opens connections for the first time, some at once.
    mutating func openMore() {
        while opened < table.count && opened - (table.count - firstAttemptsLeft) < Self.openingAtOnce {
            opened += 1
            connect(opened - 1)
        }
    }

    /// Starts a connection for a vacant slot, for the request that is pending on it if there is one.
    mutating func connect(_ slot: Int) {
        precondition(table[slot].state == .vacant)
        if !table[slot].isPending { table[slot].begun = now }
        let descriptor = target.connect()
        if descriptor < 0 { return fail(slot, .connect, detail: Int(-descriptor)) }
        table[slot].descriptor = descriptor
        table[slot].generation &+= 1
        table[slot].state = .connecting
        table[slot].sent = 0
        table[slot].reader = ResponseReader()
        carried[slot].removeAll(keepingCapacity: true)
        poller.watch(descriptor, tag: UInt64(table[slot].generation) << 32 | UInt64(slot))
        // On loopback the connection usually stands when connect(2) returns, though that says EINPROGRESS.
        if preface.size > 0 || table[slot].isPending { connectionMayStand(slot) }
    }

    /// The socket is writable, or may be: the first bytes to send find out.
    mutating func connectionMayStand(_ slot: Int) {
        let descriptor = table[slot].descriptor
        if preface.size > 0 || table[slot].isPending {
            let sent =
                preface.size > 0 ? preface.send(descriptor, from: 0) : request.send(descriptor, from: 0)
            if sent == -Int(EAGAIN) { return }
            if sent < 0 { return fail(slot, .connect, detail: -sent) }
            table[slot].sent = sent
            tally.counts.bytesOut += sent
        } else {
            var error: Int32 = 0
            unsafe _ = cposix_getsockopt_int(descriptor, SOL_SOCKET, SO_ERROR, &error)
            if error != 0 { return fail(slot, .connect, detail: Int(error)) }
        }
        tally.connectionsOpened += 1
        if preface.size > 0 {
            table[slot].state = .tunnelling
            table[slot].reader.answersConnect = true
            sendPreface(slot)
        } else {
            isReady(slot)
        }
    }

    /// The answer to CONNECT is there.
    mutating func tunnelAnswered(_ slot: Int) {
        let status = table[slot].reader.head.status
        guard 200..<300 ~= status else { return fail(slot, .tunnel, detail: status) }
        table[slot].reader.answersConnect = false
        table[slot].reader.restart()
        table[slot].sent = 0
        isReady(slot)
    }

    /// The connection can take requests.
    private mutating func isReady(_ slot: Int) {
        if table[slot].isPending {
            table[slot].isPending = false
            table[slot].state = .busy
            send(slot)
            return
        }
        table[slot].state = .idle
        table[slot].idleSince = now
        if options.mode == .idle {
            // The answer to this is what makes the connection count.
            begin(slot, at: now)
        } else {
            if phase == .opening { firstAttemptsLeft -= 1 }
            next(slot)
        }
    }

    /// Gives up the connection and what is under way on it, and counts that.
    mutating func fail(_ slot: Int, _ failure: Failure, detail: Int? = nil) {
        let connection = table[slot]
        // Several connections may be on their way for the last request of a limit: those that fail after it was accounted
        // for failed nobody's request.
        let asked = connection.state == .busy || connection.state == .idle || connection.isPending
        if asked || issued < options.requestLimit ?? .max {
            tally.count(
                failure, times: max(1, connection.state == .busy ? connection.outstanding : 1), detail: detail
            )
        }
        if connection.state == .busy || connection.isPending { underWay -= 1 }
        close(slot)
        if phase == .opening {
            if connection.state != .idle { firstAttemptsLeft -= 1 }
            retries.append(slot)
        } else if connection.state == .busy || connection.state == .idle {
            isVacant(slot)
        } else {
            // A limit of requests must be reached even if nothing can be asked any more.
            if options.requestLimit != nil && !connection.isPending { issued += options.pipeline }
            retries.append(slot)
        }
    }

    mutating func close(_ slot: Int) {
        if table[slot].descriptor >= 0 { _ = cposix_close(table[slot].descriptor) }
        table[slot].descriptor = -1
        table[slot].generation &+= 1
        table[slot].state = .vacant
        table[slot].isPending = false
        table[slot].outstanding = 0
        table[slot].idleSince = now
    }

    /// A connection that worked has ended: another takes its place as long as there is work.
    mutating func isVacant(_ slot: Int) {
        switch phase {
        case .opening: retries.append(slot)
        case .running, .draining:
            if options.isNewConnection {
                next(slot)
            } else if options.mode != .idle && hasWork {
                connect(slot)
            }
        case .finished: break
        }
    }

    mutating func retryConnecting() {
        guard phase == .running || phase == .draining, options.mode != .idle, hasWork else { return }
        let slots = retries
        retries.removeAll(keepingCapacity: true)
        for slot in slots where table[slot].state == .vacant { isVacant(slot) }
    }
}
