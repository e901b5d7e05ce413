/// Which zone of a cluster comes first for which clients: the first rule that holds says so. Immutable, and read by every worker.
@safe final class ZoneRules: @unchecked Sendable {
    struct Rule: BitwiseCopyable, Sendable {
        /// The number of its zone.
        var zone: UInt8
        /// From the first block to that before the end: the sources that it is for; none: for all.
        var firstBlock: UInt32
        var endOfBlocks: UInt32
        /// Its place among the geo rules; -1: it is for any.
        var geo: Int32
    }

    struct Table: ~Copyable {
        let rules: FixedArray<Rule>
        let blocks: FixedArray<AddressBlock>
        let geos: GeoTable

        func holds(_ rule: Rule, for client: IPAddress, at location: GeoLocation) -> Bool {
            let range = Int(rule.firstBlock)..<Int(rule.endOfBlocks)
            if !range.isEmpty && !blocks.contains(client, in: range) { return false }
            return rule.geo < 0 || geos.holds(Int(rule.geo), at: location)
        }

        func first(for client: IPAddress, at location: GeoLocation) -> Int? {
            for index in 0..<rules.count where holds(rules[index], for: client, at: location) { return index }
            return nil
        }
    }

    /// Those that rules name, each once, in the order of the rules. Of the first the number is 1.
    let zones: [String]
    /// Whether a rule asks where clients are: then that has to be looked up.
    let asksLocation: Bool
    private let table: UnsafeMutablePointer<Table>

    /// - Parameter rules: in the order of the file.
    init(_ rules: [(zone: String, clients: ClientRule)]) {
        precondition(rules.count <= PreferredZone.limit)
        var zones: [String] = []
        var blocks: [AddressBlock] = []
        var geos: [GeoRule] = []
        var compiled: [Rule] = []
        for (zone, clients) in rules {
            let known = zones.firstIndex(of: zone)
            if known == nil { zones.append(zone) }
            let firstBlock = blocks.count
            blocks += AddressBlock.merged(clients.sources)
            compiled.append(
                Rule(
                    zone: UInt8((known ?? zones.count - 1) + 1), firstBlock: UInt32(firstBlock),
                    endOfBlocks: UInt32(blocks.count),
                    geo: clients.geo.isEmpty ? -1 : Int32(geos.count)))
            if !clients.geo.isEmpty { geos.append(clients.geo) }
        }
        self.zones = zones
        asksLocation = !geos.isEmpty
        unsafe table = .allocate(capacity: 1)
        unsafe table.initialize(
            to: Table(rules: FixedArray(compiled), blocks: FixedArray(blocks), geos: GeoTable(geos)))
    }

    deinit {
        unsafe table.deinitialize(count: 1)
        unsafe table.deallocate()
    }

    /// The first rule that holds for a client; nil if none does.
    ///
    /// - Parameter location: of the client; looked up only where the rules ask for it.
    func rule(for client: IPAddress, at location: GeoLocation) -> Int? {
        unsafe table.pointee.first(for: client, at: location)
    }

    /// The zone that a rule names.
    func zone(of rule: Int) -> String { zones[Int(unsafe table.pointee.rules[rule].zone) - 1] }

    /// The number of a zone; nil if no rule names it.
    func number(of zone: String) -> UInt8? { zones.firstIndex(of: zone).map { UInt8($0 + 1) } }

    /// For workers' state, which counts no references; the plan of the cluster keeps this one.
    var view: View { unsafe View(table: UnsafePointer(table), asksLocation: asksLocation) }

    /// The rules as a worker reads them; good as long as they are.
    @safe struct View: BitwiseCopyable {
        private let table: UnsafePointer<Table>
        let asksLocation: Bool

        @unsafe
        fileprivate init(table: UnsafePointer<Table>, asksLocation: Bool) {
            unsafe self.table = table
            self.asksLocation = asksLocation
        }

        /// The number of the zone that comes first for a client; 0: no rule says so.
        func zone(for client: IPAddress, at location: GeoLocation) -> UInt8 {
            guard let rule = unsafe table.pointee.first(for: client, at: location) else { return 0 }
            return unsafe table.pointee.rules[rule].zone
        }
    }
}
