import Testing

@testable import UringProxy

@Suite("Doctor")
struct DoctorTests {
    /// A kernel with all that the driver asks for.
    private static let goodRing = RingFacts(features: 0x3FFFF, operations: .max, flags: .max)

    /// A machine with nothing to mend.
    private static let files: [String: String] = [
        "/proc/sys/kernel/osrelease": "6.18.1\n", "/proc/sys/kernel/io_uring_disabled": "0\n",
        "/proc/sys/kernel/io_uring_group": "-1\n",
        "/proc/self/status":
            "Name:\tuproxy\nUid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000\nGroups:\t24 27\n"
            + "CapEff:\t0000000000000000\nSeccomp:\t0\n",
        "/proc/self/limits": """
        Limit                     Soft Limit           Hard Limit           Units
        Max open files            1024                 1048576              files
        Max locked memory         8388608              8388608              bytes

        """,
        "/proc/meminfo": "MemTotal:        8388608 kB\nMemFree: 1 kB\n",
        "/proc/sys/net/core/somaxconn": "4096\n", "/proc/sys/net/ipv4/tcp_max_syn_backlog": "2048\n",
        "/proc/sys/net/ipv4/ip_local_port_range": "32768\t60999\n",
        "/proc/sys/net/ipv4/tcp_fin_timeout": "60\n",
        "/proc/sys/net/ipv4/tcp_tw_reuse": "2\n", "/proc/sys/net/ipv4/tcp_congestion_control": "cubic\n",
        "/proc/sys/fs/file-max": "9223372036854775807\n",
        "/sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
        "/proc/sys/net/ipv4/tcp_available_ulp": "espintcp mptcp tls\n",
    ]

    private func report(
        ring: RingFacts = goodRing, changing changes: [String: String?] = [:], processors: Int = 4,
        _ configure: (inout Configuration) -> Void = { _ in }
    ) -> DoctorReport {
        let files = Self.files.merging(changes.map { ($0, $1 ?? "\u{0}") }) { $1 }.filter {
            $0.value != "\u{0}"
        }
        var configuration = Configuration()
        configure(&configuration)
        var facts = DoctorFacts(files: TextFiles { files[$0] }, ring: ring, allowedProcessors: processors)
        facts.isUringBuilt = true
        return Doctor(configuration: configuration, facts: facts).report
    }

    /// What is not ok, as "subject grade".
    private func complaints(_ report: DoctorReport) -> [String] {
        report.findings.filter { $0.grade != .ok }.map { "\($0.subject) \($0.grade.rawValue)" }
    }

    private func remedy(_ report: DoctorReport, _ subject: String) -> String {
        report.findings.first { $0.subject == subject }?.remedy ?? ""
    }

    @Test("A good machine has nothing to mend")
    func good() {
        let report = report()
        #expect(complaints(report) == [])
        #expect(report.text.hasSuffix("Nothing to mend."))
        #expect(report.kernelRelease == "6.18.1" && report.processors == 4 && report.container == nil)
    }

    @Test("The real machine can be examined")
    func real() {
        let report = Doctor.examine(Configuration())
        #expect(report.findings.count > 10)
        #expect(!report.preventsRunning)
    }

    @Test("Why there is no io_uring is told, with what mends it; only --io uring makes it fatal")
    func unavailable() {
        let disabled = "/proc/sys/kernel/io_uring_disabled"
        let status = "/proc/self/status"
        let table: [(errno: Int32, changes: [String: String?], remedy: String)] = [
            (38, [:], "run Linux 6.1"), (38, ["/.dockerenv": ""], "seccomp=PROFILE"),
            (1, ["/.dockerenv": ""], "seccomp=PROFILE"),
            (1, [disabled: "2"], "io_uring_disabled=0"), (1, [disabled: "1"], "io_uring_group=1000"),
            (1, [status: "Seccomp:\t2\n"], "SystemCallFilter="), (13, [:], "ausearch"),
            (1, [disabled: "1", status: "CapEff:\t0000000000200000\nSeccomp:\t2\n"], "SystemCallFilter="),
            (12, [:], "ulimit -l"), (24, [:], "ulimit -n"), (5, [:], "dmesg"),
        ]
        for (errno, changes, expected) in table {
            let gentle = report(ring: RingFacts(setupErrno: errno), changing: changes)
            #expect(complaints(gentle) == ["io_uring advice"], "\(errno)")
            #expect(remedy(gentle, "io_uring").contains(expected), "\(errno): \(remedy(gentle, "io_uring"))")
            #expect(!gentle.preventsRunning)
            let strict = report(ring: RingFacts(setupErrno: errno), changing: changes) { $0.io = .uring }
            #expect(complaints(strict) == ["io_uring problem"] && strict.preventsRunning)
            #expect(strict.text.contains("cannot run as asked"))
            let indifferent = report(ring: RingFacts(setupErrno: errno), changing: changes) { $0.io = .epoll }
            #expect(complaints(indifferent) == [])
        }
    }

    @Test("What an old kernel lacks is named")
    func oldKernel() {
        var ring = Self.goodRing
        ring.flags = 0b1111_1000  // Up to SUBMIT_ALL: a 5.18.
        #expect(complaints(report(ring: ring)) == ["ring flags advice"])
        ring.providedRingErrno = 22
        #expect(complaints(report(ring: ring)) == ["io_uring advice"])
        #expect(report(ring: ring).text.contains("provided buffer rings"))
        ring = Self.goodRing
        ring.operations &= ~(1 << 47)
        #expect(complaints(report(ring: ring)) == [])
        #expect(complaints(report(ring: ring) { $0.zeroCopy = .auto }) == ["ring operations advice"])
        ring.sizedRingErrno = 12
        ring.fixedBufferErrno = 12
        #expect(complaints(report(ring: ring)) == ["ring memory advice", "fixed buffers advice"])
        #expect(report(ring: ring) { $0.io = .uring }.preventsRunning)
    }

    @Test("Limits are held against what the configuration needs")
    func limits() {
        func limits(files: String, memlock: String) -> [String: String?] {
            [
                "/proc/self/limits":
                    "Max open files  1024  \(files)  files\nMax locked memory  \(memlock)  \(memlock)  bytes\n"
            ]
        }
        let table: [([String: String?], Int?, [String])] = [
            (limits(files: "4096", memlock: "8388608"), nil, ["open files advice"]),
            (limits(files: "100", memlock: "8388608"), nil, ["open files problem"]),
            (limits(files: "4096", memlock: "8388608"), 1000, []),
            (limits(files: "4096", memlock: "8388608"), 4000, ["open files problem"]),
            (limits(files: "unlimited", memlock: "unlimited"), 100_000, []),
            (limits(files: "65536", memlock: "1048576"), nil, ["locked memory advice"]),
            (limits(files: "65536", memlock: "65536"), nil, ["locked memory advice"]),
            (["/proc/self/limits": nil], nil, []),
        ]
        for (changes, connections, expected) in table {
            let report = report(changing: changes) { $0.limitConnections = connections }
            #expect(complaints(report) == expected, "\(changes)")
            #expect(!report.preventsRunning)
        }
        // Root on the machine itself is exempt from the locked memory limit.
        var privileged = limits(files: "65536", memlock: "0")
        privileged["/proc/self/status"] = "CapEff:\t000001ffffffffff\n"
        #expect(complaints(report(changing: privileged)) == [])
    }

    @Test("Threads and memory are held against the machine and its control group")
    func sizes() {
        #expect(complaints(report(processors: 2) { $0.threads = 4 }) == ["CPUs advice"])
        #expect(remedy(report(processors: 2) { $0.threads = 4 }, "CPUs") == "uproxy --threads 2")
        #expect(complaints(report { $0.memoryBytes = 2 << 30 }) == [])
        #expect(complaints(report { $0.memoryBytes = 7 << 30 }) == ["memory problem"])
        let group: [String: String?] = [
            "/proc/self/cgroup": "0::/\n",
            "/proc/self/mountinfo": "1 2 0:1 / /sys/fs/cgroup rw - cgroup2 c rw\n",
            "/sys/fs/cgroup/memory.max": "536870912\n", "/sys/fs/cgroup/cpu.max": "100000 100000\n",
        ]
        let report = report(changing: group) {
            $0.memoryBytes = 1 << 30
            $0.threads = 2
        }
        #expect(complaints(report) == ["CPUs advice", "memory problem"])
        #expect(report.processors == 1)
        #expect(remedy(report, "memory") == "uproxy --memory 256MiB")
    }

    @Test("Each sysctl that is too small is named with the command that mends it")
    func sysctls() {
        let table = [
            ("net/core/somaxconn", "128", "sysctl -w net.core.somaxconn=4096"),
            ("net/ipv4/tcp_max_syn_backlog", "128", "sysctl -w net.ipv4.tcp_max_syn_backlog=1024"),
            (
                "net/ipv4/ip_local_port_range", "32768\t33000",
                "sysctl -w net.ipv4.ip_local_port_range=\"10240 65535\""
            ),
            ("net/ipv4/tcp_fin_timeout", "300", "sysctl -w net.ipv4.tcp_fin_timeout=60"),
            ("net/ipv4/tcp_tw_reuse", "0", "sysctl -w net.ipv4.tcp_tw_reuse=1"),
        ]
        for (path, text, command) in table {
            let subject = path.split(separator: "/").joined(separator: ".")
            let report = report(changing: ["/proc/sys/" + path: text])
            #expect(complaints(report) == ["\(subject) advice"])
            #expect(remedy(report, subject) == command)
            let absent = self.report(changing: ["/proc/sys/" + path: nil as String?])
            #expect(complaints(absent) == [])
        }
        let few = report(changing: ["/proc/sys/fs/file-max": "5000"]) { $0.limitConnections = 10000 }
        #expect(complaints(few) == ["fs.file-max problem"])
        let never = report(changing: [
            "/sys/kernel/mm/transparent_hugepage/enabled": "always madvise [never]\n"
        ])
        #expect(complaints(never) == ["huge pages advice"])
    }

    @Test("Kernel TLS is loaded, loadable or absent")
    func kernelTLS() {
        let protocols = "/proc/sys/net/ipv4/tcp_available_ulp"
        #expect(complaints(report(changing: [protocols: "espintcp\n"])) == [])
        let loadable: [String: String?] = [
            protocols: nil, "/lib/modules/6.18.1/modules.dep": "kernel/net/tls/tls.ko.xz: \n",
        ]
        #expect(complaints(report(changing: loadable)) == [])
        #expect(
            complaints(report(changing: loadable) { $0.kernelTLS = .auto }) == ["kernel TLS advice"])
        #expect(
            complaints(report(changing: loadable) { $0.kernelTLS = .on }) == ["kernel TLS problem"])
        let absent: [String: String?] = [protocols: nil]
        #expect(complaints(report(changing: absent)) == [])
        #expect(complaints(report(changing: absent) { $0.kernelTLS = .auto }) == ["kernel TLS advice"])
        let required = report(changing: absent) { $0.kernelTLS = .on }
        #expect(complaints(required) == ["kernel TLS problem"])
        #expect(required.preventsRunning)
    }

    @Test("A container is recognised by what its runtime leaves behind")
    func containers() {
        let table: [(String, String, String)] = [
            ("/.dockerenv", "", "docker"), ("/run/.containerenv", "", "podman"),
            ("/run/systemd/container", "systemd-nspawn\n", "systemd-nspawn"),
            ("/proc/1/cgroup", "0::/kubepods/pod1\n", "kubepods"),
        ]
        for (path, text, expected) in table { #expect(report(changing: [path: text]).container == expected) }
    }

    @Test("JSON escapes quotation marks, backslashes and controls, and nothing else")
    func json() {
        let table = [
            ("plain", "\"plain\""), ("a\"b\\c", "\"a\\\"b\\\\c\""), ("\n\r\t", "\"\\n\\r\\t\""),
            ("\u{1}\u{1F}\u{7F}", "\"\\u0001\\u001f\\u007f\""), ("é😀/", "\"é😀/\""), ("\r\n", "\"\\r\\n\""),
        ]
        for (text, expected) in table { #expect(jsonString(text) == expected) }
        let report = report(changing: ["/proc/sys/net/ipv4/tcp_congestion_control": "a\"b\u{1B}"])
        #expect(report.json.contains(#""text":"a\"b\u001b""#))
        #expect(report.json.hasPrefix("{\"version\":") && report.json.hasSuffix("\n]}"))
    }
}
