internal import CMaxMindDB

/// All databases of a configuration, as they were at one time. Immutable; what has taken it over keeps it open.
@safe final class GeoDatabases: @unchecked Sendable {
    let all: [GeoDatabase]
    private let pointers: UnsafeMutablePointer<OpaquePointer>

    init(_ databases: [GeoDatabase]) {
        all = databases
        unsafe pointers = .allocate(capacity: max(1, databases.count))
        for (index, database) in databases.enumerated() {
            unsafe (pointers + index).initialize(to: database.pointer)
        }
    }

    deinit { unsafe pointers.deallocate() }

    static let none = GeoDatabases([])

    /// What they tell together.
    var kinds: GeoKinds { all.reduce(into: []) { $0.formUnion($1.kinds) } }

    /// Good as long as they are.
    var reader: GeoReader { unsafe GeoReader(pointers: UnsafePointer(pointers), count: all.count) }

    /// The same with another one in a place.
    func replacing(_ index: Int, with database: GeoDatabase) -> GeoDatabases {
        var databases = all
        databases[index] = database
        return GeoDatabases(databases)
    }
}

/// Looks addresses up in databases that its holder keeps: counts no references and allocates nothing.
@safe struct GeoReader: BitwiseCopyable {
    private let pointers: UnsafePointer<OpaquePointer>
    private let count: Int
    /// What was asked last: a request's route and its cluster ask for the same client.
    private var last: (address: IPAddress, location: GeoLocation)?

    fileprivate init(pointers: UnsafePointer<OpaquePointer>, count: Int) {
        unsafe self.pointers = pointers
        self.count = count
    }

    /// Each thing from the first database that knows it.
    @inline(never)
    func location(of address: IPAddress) -> GeoLocation {
        var found = cmaxminddb_location()
        for index in 0..<count {
            unsafe cmaxminddb_find(pointers[index], address.high, address.low, &found)
        }
        return GeoLocation(
            country: GeoCode(rawValue: found.country), region: GeoCode(rawValue: found.region),
            autonomousSystem: found.system)
    }

    /// The same, looked up but once if it is asked for again at once.
    mutating func locate(_ address: IPAddress) -> GeoLocation {
        if let last, last.address == address { return last.location }
        let found = location(of: address)
        last = (address, found)
        return found
    }
}
