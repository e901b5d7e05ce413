internal import CPosix

/// What the kernel says of this process, under the names that metrics of processes have everywhere. What cannot be read is nil.
struct ProcessFacts: Sendable {
    private(set) var cpuSeconds: Double?
    private(set) var startSeconds: Double?
    private(set) var threads: UInt64?
    private(set) var virtualBytes: UInt64?
    private(set) var residentBytes: UInt64?
    private(set) var openDescriptors: UInt64?
    private(set) var mostDescriptors: UInt64?

    /// In which procfs tells times, on each machine (USER_HZ).
    private static let ticksPerSecond = 100.0

    init(files: TextFiles) {
        if let stat = files.read("/proc/self/stat"), let end = stat.lastIndex(of: ")") {
            // proc(5): what follows the name, which may hold anything, begins with field 3.
            let fields = stat[stat.index(after: end)...].split(separator: " ")
            func field(_ number: Int) -> Double? {
                fields.count > number - 3 ? Double(trimmed(fields[number - 3])) : nil
            }
            if let user = field(14), let system = field(15) {
                cpuSeconds = (user + system) / Self.ticksPerSecond
            }
            threads = field(20).map { UInt64($0) }
            if let sinceBoot = field(22), let boot = Self.number(after: "btime", in: files.read("/proc/stat"))
            {
                startSeconds = Double(boot) + sinceBoot / Self.ticksPerSecond
            }
        }
        let status = files.read("/proc/self/status")
        virtualBytes = Self.number(after: "VmSize:", in: status).map { $0 << 10 }
        residentBytes = Self.number(after: "VmRSS:", in: status).map { $0 << 10 }
        mostDescriptors = Self.number(after: "Max open files", in: files.read("/proc/self/limits"))
        let count = unsafe cposix_count_entries("/proc/self/fd")
        // One of them reads the folder.
        if count > 0 { openDescriptors = UInt64(count - 1) }
    }

    /// The first number of a line that begins so.
    private static func number(after start: String, in text: String?) -> UInt64? {
        guard let line = text?.split(separator: "\n").first(where: { $0.hasPrefix(start) }) else {
            return nil
        }
        return line.dropFirst(start.count).split(whereSeparator: { $0 == " " || $0 == "\t" }).first
            .flatMap { UInt64($0) }
    }
}
