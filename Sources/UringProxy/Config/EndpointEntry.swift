/// An endpoint that a configuration file writes as a mapping.
struct EndpointEntry: Sendable {
    var address = ""
    var weight: Int?
    var zone: String?
    var priority: Int?

    /// The same in one piece, as `ClusterConfiguration.endpoints` has it.
    var text: String {
        address + (weight.map { ",weight=\($0)" } ?? "") + (zone.map { ",zone=\($0)" } ?? "")
            + (priority.map { ",priority=\($0)" } ?? "")
    }
}
