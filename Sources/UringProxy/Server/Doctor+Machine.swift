/// What the machine's owner sets for all processes: huge pages, modules, sysctls.
extension Doctor {
    var machineFindings: [Finding] { [hugePageFinding, kernelTLSFinding] }

    var sysctlFindings: [Finding] {
        [
            backlogFinding, synBacklogFinding, portFinding, finTimeoutFinding, reuseFinding,
            congestionFinding, fileFinding,
        ]
    }

    private var hugePageFinding: Finding {
        let subject = "huge pages"
        switch facts.hugePages {
        case "always"?, "madvise"?: return .ok(subject, "transparent, \(facts.hugePages ?? "")")
        case "never"?:
            return .advice(
                subject, "switched off", cost: "the arenas take more entries of the CPU's address cache",
                remedy: "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled")
        default: return .ok(subject, "this kernel has none; the arenas use small pages")
        }
    }

    private var kernelTLSFinding: Finding {
        let subject = "kernel TLS"
        let remedy = "modprobe tls && echo tls > /etc/modules-load.d/tls.conf"
        let cost =
            "long bodies over TLS are encrypted in the process: a copy more, and none of them is spliced"
        switch (facts.kernelTLS, configuration.kernelTLS) {
        case (.loaded, .off): return .ok(subject, "available; --kernel-tls auto would use it")
        case (.loaded, _): return .ok(subject, "available")
        case (.loadable, .off):
            return .ok(subject, "its module is not loaded; nothing asks for it (--kernel-tls)")
        case (.loadable, .auto):
            return .advice(
                subject, "its module is not loaded, which takes a user who may do so", cost: cost,
                remedy: remedy)
        case (.loadable, .on):
            return .problem(
                subject, "its module is not loaded",
                cost: "--kernel-tls on cannot start, unless by a user who may load it", remedy: remedy)
        case (.absent, .off): return .ok(subject, "this kernel has none (CONFIG_TLS); nothing asks for it")
        case (.absent, .auto):
            return .advice(
                subject, "this kernel has none (CONFIG_TLS)", cost: cost,
                remedy: "run a kernel with CONFIG_TLS, as Debian's, or leave --kernel-tls off")
        case (.absent, .on):
            return .problem(
                subject, "this kernel has none (CONFIG_TLS)", cost: "--kernel-tls on cannot start",
                remedy: "run a kernel with CONFIG_TLS, as Debian's, or take --kernel-tls auto",
                preventsRunning: true)
        }
    }

    // MARK: Sysctls

    private func number(_ name: String) -> UInt64? { facts.sysctls[name].flatMap { UInt64($0) } }

    /// A sysctl that should be at least `least`.
    private func atLeast(_ least: UInt64, _ name: String, cost: String) -> Finding {
        guard let value = number(name) else { return .ok(name, "cannot be read here") }
        if value >= least { return .ok(name, "\(value)") }
        return .advice(name, "\(value)", cost: cost, remedy: "sysctl -w \(name)=\(least)")
    }

    private var backlogFinding: Finding {
        atLeast(
            4096, "net.core.somaxconn",
            cost: "a burst of new connections beyond it waits for a retry, a second or more")
    }

    private var synBacklogFinding: Finding {
        atLeast(
            1024, "net.ipv4.tcp_max_syn_backlog",
            cost: "a burst of handshakes falls back to SYN cookies, or is dropped where those are off")
    }

    private var portFinding: Finding {
        let name = "net.ipv4.ip_local_port_range"
        let bounds = (facts.sysctls[name] ?? "").split { $0 == " " || $0 == "\t" }.compactMap { Int($0) }
        guard bounds.count == 2 else { return .ok(name, "cannot be read here") }
        let count = max(0, bounds[1] - bounds[0] + 1)
        let text = "\(bounds[0]) to \(bounds[1]): \(count) connections to one endpoint at a time"
        if count >= 20000 { return .ok(name, text) }
        return .advice(
            name, text, cost: "connects beyond it fail with EADDRNOTAVAIL",
            remedy: "sysctl -w \(name)=\"10240 65535\"")
    }

    private var finTimeoutFinding: Finding {
        let name = "net.ipv4.tcp_fin_timeout"
        guard let value = number(name) else { return .ok(name, "cannot be read here") }
        if value <= 60 { return .ok(name, "\(value) s") }
        return .advice(
            name, "\(value) s", cost: "connections whose peer never closes hold kernel memory for so long",
            remedy: "sysctl -w \(name)=60")
    }

    private var reuseFinding: Finding {
        let name = "net.ipv4.tcp_tw_reuse"
        switch number(name) {
        case 0?:
            return .advice(
                name, "0",
                cost: "a local port rests for a minute after each upstream connection that we close",
                remedy: "sysctl -w \(name)=1")
        case 1?: return .ok(name, "1: local ports are reused early")
        case 2?: return .ok(name, "2: local ports are reused early on loopback alone")
        case let value?: return .ok(name, "\(value)")
        case nil: return .ok(name, "cannot be read here")
        }
    }

    private var congestionFinding: Finding {
        let name = "net.ipv4.tcp_congestion_control"
        return .ok(name, facts.sysctls[name] ?? "cannot be read here")
    }

    private var fileFinding: Finding {
        let name = "fs.file-max"
        guard let value = number(name) else { return .ok(name, "cannot be read here") }
        guard let descriptors = needs.descriptors, UInt64(descriptors) > value else {
            return .ok(name, "\(value)")
        }
        return .problem(
            name, "\(value); --limit-connections needs \(descriptors)",
            cost: "accept fails with ENFILE, here and in other programs",
            remedy: "sysctl -w \(name)=\(descriptors * 2)")
    }
}
