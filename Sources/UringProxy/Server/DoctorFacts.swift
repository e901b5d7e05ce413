/// All that `Doctor` knows of the machine. Everything but the ring's answers comes from text files, so that a test
/// can describe a machine as a table of them.
struct DoctorFacts: Sendable {
    struct Limit: Sendable, Equatable {
        /// nil: unlimited.
        var soft: UInt64?
        var hard: UInt64?
    }

    struct Capabilities: Sendable, Equatable {
        var lockMemory = false
        var administrate = false
    }

    enum KernelTLS: Sendable, Equatable { case loaded, loadable, absent }

    var ring: RingFacts
    /// Whether this binary holds the io_uring driver at all.
    var isUringBuilt = true
    var kernelRelease = "unknown"
    /// `kernel.io_uring_disabled` (6.6): 0 all may, 1 only the group and administrators, 2 nobody.
    var uringDisabled: UInt64?
    /// `kernel.io_uring_group`; -1 is no group.
    var uringGroup: Int?
    var groups: [Int] = []
    var capabilities = Capabilities()
    /// Whether a seccomp filter looks at this process's system calls.
    var isFiltered = false
    var openFiles: Limit?
    var lockedMemory: Limit?
    var allowedProcessors = 1
    var cgroup: Cgroup
    var memoryBytes: UInt64?
    /// Names below /proc/sys, with dots, and their text.
    var sysctls: [String: String] = [:]
    /// `always`, `madvise` or `never`.
    var hugePages: String?
    var kernelTLS = KernelTLS.absent
    /// What a container left as its trace: "docker", "podman"…
    var container: String?

    static let sysctlNames = [
        "net.core.somaxconn", "net.ipv4.tcp_max_syn_backlog", "net.ipv4.ip_local_port_range",
        "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_tw_reuse", "net.ipv4.tcp_congestion_control", "fs.file-max",
    ]

    init(files: TextFiles, ring: RingFacts, allowedProcessors: Int) {
        self.ring = ring
        self.allowedProcessors = allowedProcessors
        #if !Uring
            isUringBuilt = false
        #endif
        cgroup = Cgroup(files: files)
        kernelRelease = files.line("/proc/sys/kernel/osrelease") ?? kernelRelease
        uringDisabled = files.number("/proc/sys/kernel/io_uring_disabled")
        uringGroup = files.line("/proc/sys/kernel/io_uring_group").flatMap { Int($0) }
        readStatus(files.read("/proc/self/status") ?? "")
        let limits = files.read("/proc/self/limits") ?? ""
        openFiles = Self.limit("Max open files", in: limits)
        lockedMemory = Self.limit("Max locked memory", in: limits)
        memoryBytes = Self.memoryTotal(files.read("/proc/meminfo") ?? "")
        for name in Self.sysctlNames {
            let path = name.split(separator: ".").joined(separator: "/")
            sysctls[name] = files.line("/proc/sys/" + path)
        }
        hugePages = files.read("/sys/kernel/mm/transparent_hugepage/enabled").flatMap(Self.bracketed)
        kernelTLS = Self.kernelTLS(files, release: kernelRelease)
        container = Self.container(files)
    }

    static func ask() -> DoctorFacts {
        DoctorFacts(
            files: .system, ring: .ask(), allowedProcessors: ProcessorCount.allowedProcessors().count)
    }

    /// The CPUs that workers can use.
    var availableProcessors: Int {
        ProcessorCount.available(allowed: allowedProcessors, quota: cgroup.processorQuota)
    }

    // MARK: Text

    private mutating func readStatus(_ text: String) {
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            let values = parts[1].split { $0 == " " || $0 == "\t" }
            switch parts[0] {
            case "Gid", "Groups": groups += values.compactMap { Int($0) }
            case "Seccomp": isFiltered = values.first == "2"
            case "CapEff":
                let bits = values.first.flatMap { UInt64($0, radix: 16) } ?? 0
                capabilities = Capabilities(
                    lockMemory: bits >> 14 & 1 == 1, administrate: bits >> 21 & 1 == 1)
            default: break
            }
        }
    }

    /// "Max open files            1024                 1048576              files"
    static func limit(_ name: String, in text: String) -> Limit? {
        for line in text.split(separator: "\n") where line.hasPrefix(name) {
            let values = line.dropFirst(name.count).split(separator: " ")
            guard values.count >= 2 else { return nil }
            return Limit(soft: UInt64(values[0]), hard: UInt64(values[1]))
        }
        return nil
    }

    /// "MemTotal:        8123456 kB"
    static func memoryTotal(_ text: String) -> UInt64? {
        for line in text.split(separator: "\n") where line.hasPrefix("MemTotal:") {
            let values = line.split(separator: " ")
            return values.count >= 2 ? UInt64(values[1]).map { $0 * 1024 } : nil
        }
        return nil
    }

    /// The choice in brackets: "always [madvise] never".
    static func bracketed(_ text: String) -> String? {
        guard let open = text.firstIndex(of: "["), let close = text[open...].firstIndex(of: "]") else {
            return nil
        }
        return String(text[text.index(after: open)..<close])
    }

    private static func kernelTLS(_ files: TextFiles, release: String) -> KernelTLS {
        let protocols = files.read("/proc/sys/net/ipv4/tcp_available_ulp") ?? ""
        if protocols.split(whereSeparator: { $0 == " " || $0 == "\n" }).contains("tls") { return .loaded }
        let modules = files.read("/lib/modules/\(release)/modules.dep") ?? ""
        return modules.contains("/net/tls/tls.ko") ? .loadable : .absent
    }

    private static func container(_ files: TextFiles) -> String? {
        if let name = files.line("/run/systemd/container"), !name.isEmpty { return name }
        if files.read("/.dockerenv") != nil { return "docker" }
        if files.read("/run/.containerenv") != nil { return "podman" }
        let groups = files.read("/proc/1/cgroup") ?? ""
        return ["kubepods", "docker", "containerd", "libpod", "lxc"].first { groups.contains($0) }
    }
}
