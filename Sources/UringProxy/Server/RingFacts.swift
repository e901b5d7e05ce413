internal import CPosix

/// What the kernel says about io_uring, asked with raw system calls so that an epoll-only build can ask as well.
struct RingFacts: Sendable, Equatable {
    /// 0, or the errno of io_uring_setup(2) for the plainest ring; the other properties mean nothing then.
    var setupErrno: Int32 = 0
    /// `IORING_FEAT_*`.
    var features: UInt32 = 0
    /// Bit n: operation n is supported, for those below 64.
    var operations: UInt64 = 0
    /// The `IORING_SETUP_*` flags that the kernel did not refuse, tried one by one.
    var flags: UInt32 = 0
    /// 0, or the errno of registering a ring of provided buffers (5.19).
    var providedRingErrno: Int32 = 0
    /// 0, or the errno of a ring of the engine's size.
    var sizedRingErrno: Int32 = 0
    /// 0, or the errno of registering one worker's arena as a fixed buffer.
    var fixedBufferErrno: Int32 = 0

    static func ask() -> RingFacts {
        var facts = cposix_ring_facts()
        unsafe cposix_probe_ring(
            &facts, UInt32(DoctorNeeds.submissionEntries),
            UInt32(RingSizes.completionEntries(connections: 0)),
            DoctorNeeds.arenaBytes)
        return RingFacts(
            setupErrno: -facts.setup_result, features: facts.features, operations: facts.operations_low,
            flags: facts.accepted_flags, providedRingErrno: -facts.provided_ring_result,
            sizedRingErrno: -facts.sized_ring_result, fixedBufferErrno: -facts.register_buffer_result)
    }
}

extension RingFacts {
    struct Named: Sendable {
        let name: String
        /// Its bit in the kernel's numbering.
        let bit: Int
        /// The first kernel that has it.
        let since: String
    }

    /// Setup flags that the io_uring driver asks for.
    static let flags = [
        Named(name: "CQSIZE", bit: 3, since: "5.5"), Named(name: "CLAMP", bit: 4, since: "5.6"),
        Named(name: "R_DISABLED", bit: 6, since: "5.10"), Named(name: "SUBMIT_ALL", bit: 7, since: "5.18"),
        Named(name: "COOP_TASKRUN", bit: 8, since: "5.19"),
        Named(name: "TASKRUN_FLAG", bit: 9, since: "5.19"),
        Named(name: "SINGLE_ISSUER", bit: 12, since: "6.0"),
        Named(name: "DEFER_TASKRUN", bit: 13, since: "6.1"),
    ]

    static let features = [
        Named(name: "NODROP", bit: 1, since: "5.5"), Named(name: "FAST_POLL", bit: 5, since: "5.7"),
        Named(name: "EXT_ARG", bit: 8, since: "5.11"), Named(name: "CQE_SKIP", bit: 11, since: "5.17"),
        Named(name: "RECVSEND_BUNDLE", bit: 14, since: "6.10"),
        Named(name: "MIN_TIMEOUT", bit: 15, since: "6.12"),
        Named(name: "NO_IOWAIT", bit: 17, since: "6.15"),
    ]

    static let operations = [
        Named(name: "SENDMSG", bit: 9, since: "5.3"), Named(name: "ACCEPT", bit: 13, since: "5.5"),
        Named(name: "ASYNC_CANCEL", bit: 14, since: "5.5"), Named(name: "CONNECT", bit: 16, since: "5.5"),
        Named(name: "READ", bit: 22, since: "5.6"), Named(name: "SEND", bit: 26, since: "5.6"),
        Named(name: "RECV", bit: 27, since: "5.6"), Named(name: "SEND_ZC", bit: 47, since: "6.0"),
        Named(name: "SENDMSG_ZC", bit: 48, since: "6.1"),
        Named(name: "READ_MULTISHOT", bit: 49, since: "6.7"),
    ]

    func has(flag name: String) -> Bool { Self.has(name, in: Self.flags, of: UInt64(flags)) }
    func has(feature name: String) -> Bool { Self.has(name, in: Self.features, of: UInt64(features)) }
    func has(operation name: String) -> Bool { Self.has(name, in: Self.operations, of: operations) }

    private static func has(_ name: String, in table: [Named], of bits: UInt64) -> Bool {
        table.contains { $0.name == name && bits >> UInt64($0.bit) & 1 == 1 }
    }

    /// What the io_uring driver cannot do without and this kernel lacks.
    var missingRequirements: [String] {
        var missing: [String] = []
        for feature in ["NODROP", "FAST_POLL", "EXT_ARG"] where !has(feature: feature) {
            missing.append(feature)
        }
        for operation in ["ACCEPT", "CONNECT", "RECV", "SEND", "SENDMSG", "READ", "ASYNC_CANCEL"]
        where !has(operation: operation) {
            missing.append("operation " + operation)
        }
        if providedRingErrno != 0 { missing.append("provided buffer rings") }
        return missing
    }
}
