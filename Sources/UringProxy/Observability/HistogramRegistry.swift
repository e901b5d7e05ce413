internal import Synchronization

/// Which names exchanges are counted under, and the number of each: what makes counts outlive a reload.
///
/// Bounded: names that find no place share one, `other`. A name that is gone keeps its place until another one needs it.
final class HistogramRegistry: Sendable {
    enum Kind: UInt8, BitwiseCopyable, CaseIterable, Sendable {
        case listener, route, cluster, endpoint
    }

    struct Row: Sendable, Equatable {
        let kind: Kind
        let name: String
        /// Whose endpoint it is; empty for other kinds.
        let cluster: String
        let number: RowNumber
    }

    /// A place, the kind of what is there, and how often it was given to a name: what comes late for an earlier one is told from what
    /// is for this one.
    struct RowNumber: BitwiseCopyable, Hashable, Sendable {
        let rawValue: UInt32

        /// Nobody's.
        static var none: RowNumber { RowNumber(rawValue: 0) }

        @inline(__always)
        init(rawValue: UInt32) { self.rawValue = rawValue }

        init(_ kind: Kind, place: Int, generation: UInt16) {
            assert(place < 1 << 14)
            self.init(rawValue: UInt32(generation) << 16 | UInt32(kind.rawValue) << 14 | UInt32(place))
        }

        @inline(__always)
        var place: Int { Int(rawValue & 0x3FFF) }
        @inline(__always)
        var kind: UInt8 { UInt8(rawValue >> 14 & 3) }
        @inline(__always)
        var generation: UInt16 { UInt16(rawValue >> 16) }
    }

    /// What shares a place when there is no other left.
    static let otherName = "other"
    /// Listeners, routes and clusters together.
    static var nameLimit: Int { 4096 }
    static var endpointLimit: Int { 8192 }
    /// One for no name at all, and one of each kind for those that share it.
    static var placeCount: Int { 1 + Kind.allCases.count + nameLimit + endpointLimit }

    private struct Key: Hashable {
        var kind: Kind
        var name: String
        var cluster: String
    }

    private struct Entry {
        let number: RowNumber
        /// `keep` has not found it wanted.
        var isGone = false
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        /// Those that are gone, of each kind the first to give way last; some may have come back.
        var gone: [Kind: [Key]] = [:]
        /// Places in use, apart from the first ones.
        var nameCount = 0
        var endpointCount = 0
        var refused: UInt64 = 0
    }

    private let state: Mutex<State>

    init() {
        var state = State()
        for kind in Kind.allCases { state.entries[Self.otherKey(kind)] = Entry(number: Self.other(kind)) }
        self.state = Mutex(state)
    }

    /// The row that those share which find no place.
    static func other(_ kind: Kind) -> RowNumber {
        RowNumber(kind, place: 1 + Int(kind.rawValue), generation: 0)
    }

    private static func otherKey(_ kind: Kind) -> Key {
        Key(kind: kind, name: otherName, cluster: kind == .endpoint ? otherName : "")
    }

    /// The number of a name: the one that it has, or a new one. At start and reload alone: it locks.
    ///
    /// - Parameter cluster: whose endpoint it is; empty for other kinds.
    func row(_ kind: Kind, _ name: String, of cluster: String = "") -> RowNumber {
        let key = Key(kind: kind, name: name, cluster: cluster)
        return state.withLock { state in
            if let known = state.entries[key] {
                if known.isGone { state.entries[key] = Entry(number: known.number) }
                return known.number
            }
            guard let number = Self.free(kind, &state) ?? Self.reused(kind, &state) else {
                state.refused += 1
                return Self.other(kind)
            }
            state.entries[key] = Entry(number: number)
            return number
        }
    }

    /// One that no name has had.
    private static func free(_ kind: Kind, _ state: inout State) -> RowNumber? {
        let first = 1 + Kind.allCases.count
        if kind == .endpoint {
            guard state.endpointCount < endpointLimit else { return nil }
            state.endpointCount += 1
            return RowNumber(kind, place: first + nameLimit + state.endpointCount - 1, generation: 0)
        }
        guard state.nameCount < nameLimit else { return nil }
        state.nameCount += 1
        return RowNumber(kind, place: first + state.nameCount - 1, generation: 0)
    }

    /// That of a name of the same kind that has gone.
    private static func reused(_ kind: Kind, _ state: inout State) -> RowNumber? {
        while let key = state.gone[kind]?.popLast() {
            guard let entry = state.entries[key], entry.isGone else { continue }
            state.entries[key] = nil
            // A place that has had this many names is left alone.
            if entry.number.generation == .max { continue }
            let (place, generation) = (entry.number.place, entry.number.generation + 1)
            return RowNumber(kind, place: place, generation: generation)
        }
        return nil
    }

    /// After a reload: names of other rows than these are gone. What is under way still counts for them, but they are not reported.
    func keep(_ numbers: Set<RowNumber>) {
        state.withLock { state in
            let wanted = numbers.union(Kind.allCases.map { Self.other($0) })
            var gone: [Kind: [Key]] = [:]
            for (key, entry) in state.entries where !entry.isGone && !wanted.contains(entry.number) {
                state.entries[key]?.isGone = true
                gone[key.kind, default: []].append(key)
            }
            for (kind, before) in state.gone {
                // Without those that came back, and perhaps went again.
                let new = Set(gone[kind, default: []])
                gone[kind, default: []] += before.filter {
                    !new.contains($0) && state.entries[$0]?.isGone ?? false
                }
            }
            state.gone = gone
        }
    }

    /// All that are not gone, by kind and then by place.
    var rows: [Row] {
        state.withLock { state in
            state.entries.filter { !$0.value.isGone }
                .map { Row(kind: $0.kind, name: $0.name, cluster: $0.cluster, number: $1.number) }
                .sorted { ($0.kind.rawValue, $0.number.place) < ($1.kind.rawValue, $1.number.place) }
        }
    }

    /// How often a name was asked for that shares a row with others.
    var refused: UInt64 { state.withLock { $0.refused } }
}
