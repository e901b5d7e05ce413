/// Where addresses have to be, compiled from rules: plain numbers in arrays, so that a look-up counts no references.
struct GeoTable: ~Copyable, Sendable {
    /// Some of the values, which stand next to each other.
    struct Items: BitwiseCopyable, Sendable {
        var start: UInt32
        var end: UInt32
    }

    struct Choice: BitwiseCopyable, Sendable {
        /// One of these, if there are any.
        var among: Items
        /// None of these.
        var except: Items
    }

    /// A rule: each kind's values are among the table's, in order.
    struct Place: BitwiseCopyable, Sendable {
        var countries: Choice
        var regions: Choice
        var autonomousSystems: Choice
    }

    private let places: FixedArray<Place>
    private let values: FixedArray<UInt32>

    init(_ rules: [GeoRule]) {
        var values: [UInt32] = []
        places = FixedArray(
            rules.map { rule in
                Place(
                    countries: Self.choice(rule.countries, &values),
                    regions: Self.choice(rule.regions, &values),
                    autonomousSystems: Self.choice(rule.autonomousSystems, &values))
            })
        self.values = FixedArray(values)
    }

    private static func choice(_ choice: GeoRule.Choice, _ values: inout [UInt32]) -> Choice {
        Choice(among: items(choice.among, &values), except: items(choice.except, &values))
    }

    private static func items(_ set: Set<UInt32>, _ values: inout [UInt32]) -> Items {
        let start = UInt32(values.count)
        values.append(contentsOf: set.sorted())
        return Items(start: start, end: UInt32(values.count))
    }

    var isEmpty: Bool { places.count == 0 }

    var sizeBytes: Int { places.sizeBytes + values.sizeBytes }

    /// Whether a rule, by its index, holds for who is there.
    func holds(_ rule: Int, at location: GeoLocation) -> Bool {
        let place = places[rule]
        return holds(place.countries, location.country.rawValue)
            && holds(place.regions, location.region.rawValue)
            && holds(place.autonomousSystems, location.autonomousSystem)
    }

    /// What is not known is 0, and so none of the values.
    private func holds(_ choice: Choice, _ value: UInt32) -> Bool {
        (choice.among.start == choice.among.end || has(choice.among, value)) && !has(choice.except, value)
    }

    /// A binary search.
    private func has(_ items: Items, _ value: UInt32) -> Bool {
        var low = Int(items.start)
        var high = Int(items.end)
        while low < high {
            let middle = (low &+ high) / 2
            if values[middle] < value { low = middle &+ 1 } else { high = middle }
        }
        return low < Int(items.end) && values[low] == value
    }
}
