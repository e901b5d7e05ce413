/// What was seen of a listener's files for TLS, and what is in use of them.
struct TLSWatch: Sendable {
    /// What a look has found.
    enum Finding: Equatable {
        /// These files were read again, and what they hold is in use.
        case taken([String])
        /// What they hold cannot be used; what was read before stays in use.
        case refused(String)
    }

    /// Of one part.
    private struct Seen: Sendable {
        /// At the last look. A stamp that is new may be that of a file that is still being written.
        var latest: [UInt64]
        /// Of what is in use.
        var used: [UInt64]
        /// Of what was last refused, and why.
        var refused: [UInt64] = []
        var reason = ""
        /// When that is tried again (nanoseconds).
        var retryAt: Int64 = 0
    }

    /// Until what was refused is tried again: the files may be as they should be, and only have been out of reach.
    private static let retryInterval: Int64 = 5_000_000_000

    private(set) var material: TLSMaterial
    private var seen: [Seen]

    init(_ compiled: TLSCompiler.Compiled) {
        material = compiled.material
        seen = compiled.stamps.map { Seen(latest: $0, used: $0) }
    }

    static func stamps(of files: [String]) -> [UInt64] {
        files.map { WholeFile.stamp(of: $0) }
    }

    /// Reads what has changed and was left alone since the last look.
    ///
    /// - Returns: what handshakes begin with from now on; nil if that has not changed.
    mutating func look(now: Int64, _ report: (Finding) -> Void) -> TLSContext? {
        var changed: TLSContext?
        for (index, part) in material.parts.enumerated() {
            let files = material.files(of: part)
            let stamps = Self.stamps(of: files)
            let isQuiet = stamps == seen[index].latest
            seen[index].latest = stamps
            guard stamps != seen[index].used else {
                seen[index].refused = []
                seen[index].reason = ""
                continue
            }
            guard isQuiet, stamps != seen[index].refused || now >= seen[index].retryAt else { continue }
            if let context = read(part, index, stamps, now, report) { changed = context }
        }
        return changed
    }

    private mutating func read(
        _ part: TLSMaterial.Part, _ index: Int, _ stamps: [UInt64], _ now: Int64, _ report: (Finding) -> Void
    ) -> TLSContext? {
        var reader = TLSReader()
        var candidate = material
        let files = material.files(of: part)
        var context: TLSContext?
        if reader.read(part, into: &candidate) { context = reader.context(candidate) }
        // Written to meanwhile: the next look sees that as well.
        guard Self.stamps(of: files) == stamps else { return nil }
        if let context {
            material = candidate
            seen[index].used = stamps
            seen[index].refused = []
            seen[index].reason = ""
            report(.taken(files))
            return context
        }
        let reason = reader.problems.first.map { "\($0.message); \($0.remedy)" } ?? ""
        let isNew = seen[index].refused != stamps || seen[index].reason != reason
        seen[index].refused = stamps
        seen[index].reason = reason
        seen[index].retryAt = now + Self.retryInterval
        if isNew { report(.refused(reason)) }
        return nil
    }
}
