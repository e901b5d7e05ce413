internal import CPosix

/// How many CPUs this process may really use: the default of `--threads`.
public enum ProcessorCount {
    /// The CPUs of the affinity mask, or the control group's quota if that is less; at least 1.
    public static func available() -> Int {
        available(allowed: allowedProcessors().count, quota: Cgroup(files: .system).processorQuota)
    }

    static func available(allowed: Int, quota: Int?) -> Int { max(1, min(allowed, quota ?? allowed)) }

    /// The numbers of the CPUs in the affinity mask, in ascending order; what workers are bound to.
    public static func allowedProcessors() -> [Int] {
        var numbers = [Int32](repeating: 0, count: 1024)
        let count = unsafe cposix_allowed_cpus(&numbers, Int32(numbers.count))
        return count > 0 ? numbers.prefix(Int(count)).map(Int.init) : [0]
    }
}
