import Testing

@testable import UringProxy

@Suite("ProcessorCount and Cgroup")
struct ProcessorCountTests {
    @Test("The quota bounds the affinity mask, and one CPU is the least")
    func counting() {
        let table: [(Int, Int?, Int)] = [(8, nil, 8), (8, 2, 2), (2, 8, 2), (0, nil, 1), (4, 0, 1)]
        for (allowed, quota, expected) in table {
            #expect(ProcessorCount.available(allowed: allowed, quota: quota) == expected)
        }
        #expect(ProcessorCount.available() >= 1)
        #expect(!ProcessorCount.allowedProcessors().isEmpty)
    }

    @Test("A quota is rounded up to whole CPUs")
    func quotas() {
        let table: [(String, Int?)] = [
            ("max 100000", nil), ("100000 100000", 1), ("150000 100000", 2), ("10000 100000", 1),
            ("400000 100000", 4),
            ("0 100000", nil), ("-1 100000", nil), ("1 0", nil), ("", nil), ("100000", nil),
            ("9223372036854775807 1", Int.max),
        ]
        for (text, expected) in table { #expect(Cgroup.quota(version2: text) == expected, "\(text)") }
    }

    @Test("Version 2: the tightest limit on the way to the root holds")
    func version2() {
        let cgroup = read([
            "/proc/self/cgroup": "0::/system.slice/uproxy.service\n",
            "/proc/self/mountinfo":
                "30 20 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
            "/sys/fs/cgroup/system.slice/uproxy.service/cpu.max": "max 100000\n",
            "/sys/fs/cgroup/system.slice/cpu.max": "350000 100000\n",
            "/sys/fs/cgroup/system.slice/uproxy.service/memory.max": "536870912\n",
            "/sys/fs/cgroup/system.slice/memory.max": "max\n",
        ])
        #expect(cgroup.processorQuota == 4)
        #expect(cgroup.memoryLimitBytes == 512 << 20)
    }

    @Test("Version 2 in a container: its own group is the mount's root")
    func container() {
        let cgroup = read([
            "/proc/self/cgroup": "0::/\n",
            "/proc/self/mountinfo": "600 590 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n",
            "/sys/fs/cgroup/cpu.max": "200000 100000\n",
        ])
        #expect(cgroup.processorQuota == 2)
        #expect(cgroup.memoryLimitBytes == nil)
    }

    @Test("Version 1 without a namespace: the path below the mount's root is cut off")
    func version1() {
        let cgroup = read([
            "/proc/self/cgroup": "4:cpu,cpuacct:/docker/abc\n9:memory:/docker/abc/inner\n0::/docker/abc\n",
            "/proc/self/mountinfo": """
            40 30 0:30 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct
            41 30 0:31 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory
            """,
            "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "120000\n",
            "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            "/sys/fs/cgroup/memory/inner/memory.limit_in_bytes": "1073741824\n",
        ])
        #expect(cgroup.processorQuota == 2)
        #expect(cgroup.memoryLimitBytes == 1 << 30)
    }

    @Test("No quota, a group outside the namespace, broken files: nothing is limited")
    func nothing() {
        let tables: [[String: String]] = [
            [:],
            ["/proc/self/cgroup": "garbage\n1:2\n", "/proc/self/mountinfo": "1 2 3\n - \n"],
            [
                "/proc/self/cgroup": "0::/../../other\n1:cpu:/\n",
                "/proc/self/mountinfo":
                    "1 2 0:1 / /sys/fs/cgroup rw - cgroup2 c rw\n1 2 0:1 / /cpu rw - cgroup c rw,cpu\n",
                "/sys/fs/cgroup/cpu.max": "max 100000", "/cpu/cpu.cfs_quota_us": "-1",
                "/cpu/cpu.cfs_period_us": "100000",
            ],
        ]
        for table in tables {
            let cgroup = read(table)
            #expect(cgroup.processorQuota == nil && cgroup.memoryLimitBytes == nil)
        }
    }

    @Test("A file is read whole, and a missing one is nil")
    func systemFiles() {
        #expect(TextFiles.system.read("/proc/self/status")?.contains("CapEff:") == true)
        #expect(TextFiles.system.read("/nonexistent") == nil)
        #expect(TextFiles.system.read("/proc") == nil)
        #expect(TextFiles.system.number("/proc/sys/kernel/pid_max") != nil)
    }

    private func read(_ table: [String: String]) -> Cgroup { Cgroup(files: TextFiles { table[$0] }) }
}
