/// io_uring: whether there is one, what it can do, and whether it may be as large as the engine wants it.
extension Doctor {
    typealias Finding = DoctorReport.Finding

    var ringFindings: [Finding] {
        if configuration.io == .epoll { return [.ok("io_uring", "not asked for (--io epoll)")] }
        if !facts.isUringBuilt {
            return [
                .advice(
                    "io_uring", "this binary holds the epoll driver alone",
                    cost: "every receive and send is a system call of its own",
                    remedy: "build without --disable-default-traits, with liburing-dev installed")
            ]
        }
        if facts.ring.setupErrno != 0 { return [unavailable] }
        let missing = facts.ring.missingRequirements
        if !missing.isEmpty {
            return [
                lack(
                    "this kernel has it, without \(missing.joined(separator: ", "))",
                    remedy: "run Linux 6.1 or newer")
            ]
        }
        return [.ok("io_uring", "available\(isPrivilegedOnly ? ", to this user or group" : "")")]
            + [flagFinding, featureFinding, operationFinding, sizeFinding, fixedBufferFinding]
    }

    private var isPrivilegedOnly: Bool { facts.uringDisabled == 1 }

    /// io_uring is out of reach: with `--io auto` that costs the difference to epoll, with `--io uring` the start.
    private func lack(subject: String = "io_uring", _ text: String, remedy: String) -> Finding {
        configuration.io == .uring
            ? .problem(
                subject, text, cost: "--io uring cannot start", remedy: remedy, preventsRunning: true)
            : .advice(
                subject, text,
                cost: "--io auto runs the epoll driver: a system call for every receive and send",
                remedy: remedy)
    }

    private var unavailable: Finding {
        switch facts.ring.setupErrno {
        case 38:  // ENOSYS
            return facts.isFiltered || facts.container != nil
                ? lack(
                    "refused as if this kernel had none: a seccomp filter, or a kernel without it",
                    remedy: seccompRemedy)
                : lack(
                    "this kernel has none (before 5.1, or built without CONFIG_IO_URING)",
                    remedy: "run Linux 6.1 or newer")
        case 1, 13:  // EPERM, EACCES
            return denied
        case 12:  // ENOMEM
            return lack(
                "not enough locked memory for the smallest ring (limit \(describe(facts.lockedMemory)))",
                remedy: memlockRemedy)
        case 24, 23:  // EMFILE, ENFILE
            return lack("no descriptor is left for a ring", remedy: "ulimit -n 65536")
        case let other:
            return lack("io_uring_setup(2) failed with errno \(other)", remedy: "dmesg | tail")
        }
    }

    private var denied: Finding {
        switch facts.uringDisabled {
        case 2:
            return lack(
                "switched off for everybody (kernel.io_uring_disabled=2)",
                remedy: "sysctl -w kernel.io_uring_disabled=0")
        case 1 where !facts.capabilities.administrate && !facts.groups.contains(facts.uringGroup ?? -1):
            return lack(
                "kept for administrators and one group (kernel.io_uring_disabled=1, group \(facts.uringGroup ?? -1))",
                remedy: "sysctl -w kernel.io_uring_group=\(facts.groups.first ?? 0)")
        default:
            return lack(
                facts.isFiltered
                    ? "denied by a seccomp filter, as container runtimes do by default"
                    : "denied by a security module (SELinux, AppArmor) or a filter",
                remedy: facts.isFiltered || facts.container != nil
                    ? seccompRemedy : "ausearch -m avc -ts recent")
        }
    }

    private var seccompRemedy: String {
        facts.container == nil
            ? "systemctl edit uproxy: SystemCallFilter=io_uring_setup io_uring_enter io_uring_register"
            : "docker run --security-opt seccomp=PROFILE …: the runtime's default profile with"
                + " scripts/seccomp-io_uring.json added (see kernel-notes.md)"
    }

    var memlockRemedy: String {
        let room = needs.ringBytes + needs.registeredBytes + (1 << 20)
        return
            "ulimit -l \(room >> 10); systemd: LimitMEMLOCK=\(room); docker run --ulimit memlock=\(room):\(room) …"
    }

    // MARK: What the ring can do

    private var flagFinding: Finding {
        let lacking = RingFacts.flags.filter { !facts.ring.has(flag: $0.name) }
        let wanted = ["SINGLE_ISSUER", "DEFER_TASKRUN", "COOP_TASKRUN", "SUBMIT_ALL"]
        let missed = lacking.filter { wanted.contains($0.name) }
        if missed.isEmpty {
            return .ok("ring flags", RingFacts.flags.map(\.name).joined(separator: " "))
        }
        return .advice(
            "ring flags", "lacking " + missed.map { "\($0.name) (\($0.since))" }.joined(separator: ", "),
            cost: "completions interrupt a worker instead of waiting for its next turn",
            remedy: "run Linux 6.1 or newer")
    }

    private var featureFinding: Finding {
        let held = RingFacts.features.filter { facts.ring.has(feature: $0.name) }.map(\.name)
        let lacking = RingFacts.features.filter { !facts.ring.has(feature: $0.name) }
        let rest =
            lacking.isEmpty
            ? "" : "; without " + lacking.map { "\($0.name) (\($0.since))" }.joined(separator: ", ")
        return .ok("ring features", held.joined(separator: " ") + rest)
    }

    private var operationFinding: Finding {
        if configuration.zeroCopy == .auto && !facts.ring.has(operation: "SEND_ZC") {
            return .advice(
                "ring operations", "no SEND_ZC (6.0)",
                cost: "--zero-copy auto does nothing: bodies are copied",
                remedy: "run Linux 6.1 or newer")
        }
        let held = RingFacts.operations.filter { facts.ring.has(operation: $0.name) }.map(\.name)
        return .ok("ring operations", held.joined(separator: " "))
    }

    private var sizeFinding: Finding {
        let each =
            "\(ByteSize.describe(UInt64(DoctorNeeds.ringBytes(connections: 0)))) for each of \(workers)"
        if facts.ring.sizedRingErrno == 0 { return .ok("ring memory", each) }
        return lack(
            subject: "ring memory",
            "a ring of the engine's size fails with errno \(facts.ring.sizedRingErrno) (\(each))",
            remedy: memlockRemedy)
    }

    private var fixedBufferFinding: Finding {
        let size = ByteSize.describe(UInt64(DoctorNeeds.arenaBytes))
        if facts.ring.fixedBufferErrno == 0 { return .ok("fixed buffers", "\(size) can be registered") }
        return .advice(
            "fixed buffers", "registering \(size) fails with errno \(facts.ring.fixedBufferErrno)",
            cost: "the arena stays unregistered: zero-copy sends pin their pages one by one",
            remedy: memlockRemedy)
    }

    var workers: String { needs.threads == 1 ? "1 worker" : "\(needs.threads) workers" }

    func describe(_ limit: DoctorFacts.Limit?) -> String {
        guard let limit else { return "unknown" }
        return limit.soft.map { ByteSize.describe($0) } ?? "unlimited"
    }
}
