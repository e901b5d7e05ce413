/// The limits that control groups set for this process, of version 2, version 1, or both mounted side by side.
struct Cgroup: Sendable, Equatable {
    /// CPUs' worth of time, rounded up; nil without a quota.
    var processorQuota: Int?
    var memoryLimitBytes: UInt64?

    init(files: TextFiles) {
        for directory in Self.directories(files, controller: "cpu") {
            if let text = files.line(directory + "/cpu.max"), let quota = Self.quota(version2: text) {
                processorQuota = min(quota, processorQuota ?? quota)
            }
            if let quota = files.line(directory + "/cpu.cfs_quota_us").flatMap({ Int($0) }),
                let period = files.line(directory + "/cpu.cfs_period_us").flatMap({ Int($0) }),
                let count = Self.processors(quota: quota, period: period)
            {
                processorQuota = min(count, processorQuota ?? count)
            }
        }
        for directory in Self.directories(files, controller: "memory") {
            for name in ["/memory.max", "/memory.limit_in_bytes"] {
                // Version 1 writes "no limit" as the largest multiple of a page.
                guard let bytes = files.number(directory + name), bytes < 1 << 62 else { continue }
                memoryLimitBytes = min(bytes, memoryLimitBytes ?? bytes)
            }
        }
    }

    /// `cpu.max`: "max 100000" or "150000 100000" (microseconds of each period).
    static func quota(version2 text: String) -> Int? {
        let parts = text.split(separator: " ")
        guard parts.count == 2, let quota = Int(parts[0]), let period = Int(parts[1]) else { return nil }
        return processors(quota: quota, period: period)
    }

    private static func processors(quota: Int, period: Int) -> Int? {
        guard quota > 0, period > 0 else { return nil }
        return max(1, (quota - 1) / period + 1)
    }

    /// Where limits of `controller` may stand for this process: its own group's directory and all above it.
    private static func directories(_ files: TextFiles, controller: String) -> [String] {
        var result: [String] = []
        let mounts = mounts(files, controller: controller)
        for line in (files.read("/proc/self/cgroup") ?? "").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let isVersion2 = parts[0] == "0" && parts[1].isEmpty
            guard isVersion2 || parts[1].split(separator: ",").contains(where: { $0 == controller }) else {
                continue
            }
            for mount in mounts where mount.isVersion2 == isVersion2 {
                result += ancestors(of: String(parts[2]), in: mount)
            }
        }
        return result
    }

    private struct Mount {
        let point: String
        /// The group that is visible at `point`: not "/" where a container sees a part of the host's tree.
        let root: String
        let isVersion2: Bool
    }

    /// From `/proc/self/mountinfo`: "36 31 0:33 ROOT POINT options - TYPE source options".
    private static func mounts(_ files: TextFiles, controller: String) -> [Mount] {
        var result: [Mount] = []
        for line in (files.read("/proc/self/mountinfo") ?? "").split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count >= 5, let dash = fields.firstIndex(of: "-"), dash + 3 < fields.count else {
                continue
            }
            let isVersion2 = fields[dash + 1] == "cgroup2"
            guard isVersion2 || fields[dash + 1] == "cgroup" else { continue }
            if !isVersion2, !fields[dash + 3].split(separator: ",").contains(where: { $0 == controller }) {
                continue
            }
            result.append(Mount(point: String(fields[4]), root: String(fields[3]), isVersion2: isVersion2))
        }
        return result
    }

    private static func ancestors(of group: String, in mount: Mount) -> [String] {
        var path = group
        if mount.root != "/" {
            guard path == mount.root || path.hasPrefix(mount.root + "/") else { return [mount.point] }
            path = String(path.dropFirst(mount.root.count))
        }
        // A group outside the namespace's root is shown as "/..": what is mounted is all there is to see.
        var parts = path.split(separator: "/").map(String.init)
        if parts.contains("..") { parts = [] }
        var result: [String] = []
        while true {
            result.append(([mount.point] + parts).joined(separator: "/"))
            if parts.isEmpty { return result }
            parts.removeLast()
        }
    }
}
