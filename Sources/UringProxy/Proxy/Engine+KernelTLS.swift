// TLS by the kernel: once a body has shown to be long, and nothing that is encrypted waits to be sent, the kernel makes the records of
// what follows. Output then leaves as it is, or through a pipe, as without TLS.
//
// What is received goes on through the session. That writes nothing any more: its records have numbers, and these are the kernel's
// now. So alerts go to the kernel too, and a peer that asks for new keys (RFC 8446 §4.6.3), which kernels before 6.14 cannot change, is told
// that this is the end.
extension Engine where D: ~Copyable {
    /// Whether a connection that much is about to be sent on is to have nothing to send first, for the kernel to take over.
    @inline(__always)
    func awaitsKernel(_ slot: UInt32) -> Bool {
        settings.kernelTLS && isSecure(slot) && !connections[slot].output.isEmpty && mayHandToKernel(slot)
    }

    private func mayHandToKernel(_ slot: UInt32) -> Bool {
        tls[slot].isOpen && !tls[slot].kernelSends && !tls[slot].kernelRefuses && !tls[slot].isEnded
            && !tls[slot].isBroken && !connections[slot].outputEnded
    }

    /// Has the kernel encrypt what will be sent on a connection, if it may; none is none.
    @inline(never)
    mutating func handToKernel(_ slot: UInt32) {
        guard slot != Slot.none, isSecure(slot), mayHandToKernel(slot), !connections[slot].isSending,
            connections[slot].output.isEmpty, tls[slot].written.isEmpty
        else { return }
        do throws(TLSKernelKeys.Lack) {
            let descriptor = connections[slot].descriptor
            let result = try TLSKernelKeys.with(tls[slot].session) { driver.encrypt(descriptor, with: $0) }
            // Even where it refuses: a socket that was ever asked (TCP_ULP) sends nothing without a copy any more (EOPNOTSUPP).
            tls[slot].lacksZeroCopy = true
            if result == 0 {
                tls[slot].kernelSends = true
                counters.add(.tlsKernelSends)
                return
            }
            counters.add(.tlsKernelRefused)
        } catch {
            switch error {
            case .version: counters.add(.tlsKernelVersion)
            case .cipher: counters.add(.tlsKernelCipher)
            case .renewed: counters.add(.tlsKernelRenewed)
            }
        }
        tls[slot].kernelRefuses = true
    }

    /// Whether the output may be sent now. Nothing but an alert goes on a connection that is broken.
    mutating func maySendByKernel(_ slot: UInt32) -> Bool {
        if !tls[slot].isBroken { return true }
        // The pipe goes with the rest, and what was to come by it has to be received in another way.
        let source = partner(of: slot)
        if source != Slot.none { stopSplicing(source) }
        dropOutput(slot)
        outputDrained(slot)
        return false
    }

    // MARK: - Ends

    /// As `mayEnd`: a close_notify leaves first.
    mutating func mayEndByKernel(_ slot: UInt32) -> Bool {
        if tls[slot].sendsEnd { return false }
        guard owesEnd(slot) else { return true }
        assert(!connections[slot].isSending && !hasOutput(slot), "what is sent after the end is lost")
        tls[slot].isEnded = true
        tls[slot].sendsEnd = true
        connections[slot].isSending = true
        connections[slot].operationsInFlight += 1
        outputBegins(slot)
        // The client's pace is that at which it takes what the kernel holds.
        connections[slot].unsentBytes = driver.unsentBytes(connections[slot].descriptor)
        driver.sendEnd(connections[slot].descriptor, token: token(.send, slot))
        return false
    }

    /// The peer has asked for new keys: before that is answered nothing else may be sent (RFC 8446 §4.6.3), and the kernel cannot.
    mutating func refuseRenewal(_ slot: UInt32) {
        counters.add(.tlsKernelRenewals)
        driver.sendAlertAtOnce(connections[slot].descriptor, .fatal(TLSAlert.internalError))
    }

    /// What the session had to say about its failure.
    mutating func sendLastAlert(_ slot: UInt32) {
        guard let alert = tls[slot].session.lastAlert, !connections[slot].outputEnded else { return }
        driver.sendAlertAtOnce(connections[slot].descriptor, .fatal(alert))
    }

    /// As `endWithAlert`, when that has been sent: what else waits is dropped, at the latest when a send that is under way has ended.
    mutating func endWithKernelAlert(_ slot: UInt32) {
        if tls[slot].streamEnded {
            close(slot)
            return
        }
        connections[slot].phase = .waiting
        connections[slot].phaseStartedAt = driver.now
        connections[slot].closesAfterFlush = true
        if connections[slot].isSending {
            queueFlush(slot)
            updateReceive(slot)
            armTimer(slot)
        } else {
            dropOutput(slot)
            beginDiscarding(slot)
        }
    }
}
