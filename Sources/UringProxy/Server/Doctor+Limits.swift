/// What the process may use: descriptors, locked memory, CPU time, memory.
extension Doctor {
    var limitFindings: [Finding] { [openFileFinding, lockedMemoryFinding, processorFinding, memoryFinding] }

    private var openFileFinding: Finding {
        let subject = "open files"
        guard let limit = facts.openFiles else { return .ok(subject, "the limit cannot be read") }
        // The engine raises its soft limit to the hard one when it starts.
        guard let hard = limit.hard else { return .ok(subject, "unlimited") }
        let remedy = { (count: Int) in
            "ulimit -Hn \(count); systemd: LimitNOFILE=\(count); docker run --ulimit nofile=\(count):\(count) …"
        }
        if let descriptors = needs.descriptors {
            if UInt64(descriptors) <= hard {
                return .ok(subject, "\(hard); --limit-connections needs \(descriptors)")
            }
            return .problem(
                subject,
                "\(hard); --limit-connections \(configuration.limitConnections ?? 0) needs \(descriptors)",
                cost: "accepting pauses at about \(hard / 2) connections", remedy: remedy(descriptors))
        }
        if hard < 256 {
            return .problem(
                subject, "\(hard)", cost: "there are hardly enough for listeners and a few exchanges",
                remedy: remedy(65536))
        }
        if hard < 16384 {
            return .advice(
                subject, "\(hard)",
                cost: "room for about \(hard / 2) connections with an upstream connection each",
                remedy: remedy(65536))
        }
        return .ok(subject, "\(hard), for about \(hard / 2) connections with an upstream connection each")
    }

    private var lockedMemoryFinding: Finding {
        let subject = "locked memory"
        let need = UInt64(needs.ringBytes + needs.registeredBytes)
        let text = "\(describe(facts.lockedMemory)); rings and arenas take \(ByteSize.describe(need))"
        if configuration.io == .epoll || !facts.isUringBuilt {
            return .ok(subject, "not needed by the epoll driver")
        }
        guard let soft = facts.lockedMemory?.soft else { return .ok(subject, "unlimited") }
        if facts.capabilities.lockMemory && facts.ring.sizedRingErrno == 0 {
            return .ok(subject, "\(describe(facts.lockedMemory)), which this user is exempt from")
        }
        if soft >= need { return .ok(subject, text) }
        if soft >= UInt64(needs.ringBytes) {
            return .advice(
                subject, text,
                cost: "some arenas stay unregistered: zero-copy sends pin their pages one by one",
                remedy: memlockRemedy)
        }
        // Linux 6.14 and 6.18 count rings; kernels from 5.12 on to some version before did not.
        let cost = "the kernel may refuse the rings of some workers"
        return configuration.io == .uring
            ? .problem(subject, text, cost: cost, remedy: memlockRemedy)
            : .advice(subject, text, cost: cost, remedy: memlockRemedy)
    }

    private var processorFinding: Finding {
        let subject = "CPUs"
        let quota = facts.cgroup.processorQuota.map { ", a control group's quota of \($0)" } ?? ""
        let text =
            "\(facts.allowedProcessors) in the affinity mask\(quota); \(workers)"
        if needs.threads > facts.availableProcessors {
            return .advice(
                subject, text, cost: "workers take turns on a CPU, which shows in the latency's tail",
                remedy: "uproxy --threads \(facts.availableProcessors)")
        }
        return .ok(subject, text)
    }

    private var memoryFinding: Finding {
        let subject = "memory"
        let sizes = [facts.memoryBytes, facts.cgroup.memoryLimitBytes].compactMap { $0 }
        guard let available = sizes.min() else { return .ok(subject, "its size cannot be read") }
        let source = available == facts.cgroup.memoryLimitBytes ? "a control group's limit" : "the machine's"
        let text = "\(describe(bytes: available)) (\(source))"
        guard let asked = configuration.memoryBytes else { return .ok(subject, text) }
        // The kernel's own part of a connection comes on top of what the budget counts.
        if asked > available / 4 * 3 {
            return .problem(
                subject,
                "\(text); --memory \(ByteSize.describe(asked)) leaves the kernel's buffers too little",
                cost: "under load the process is killed for lack of memory",
                remedy: "uproxy --memory \((available / 2) >> 20)MiB")
        }
        return .ok(subject, "\(text); --memory \(ByteSize.describe(asked))")
    }

    /// Rounded down to whole MiB: an exact count of bytes says no more here.
    private func describe(bytes: UInt64) -> String {
        bytes < 1 << 20 ? ByteSize.describe(bytes) : "\(bytes >> 20)MiB"
    }
}
