/// The listeners and routes of a configuration that ask something of requests, in the order of their plans.
struct AccessPlaces {
    struct Place {
        /// Of the configuration's key: `listeners[0]`, `routes.site[3]`.
        var path: String
        var access: AccessConfiguration
        /// nil for a route.
        var role: ListenerConfiguration.Role?
    }

    private(set) var all: [Place] = []
    private var indices: [String: Int32] = [:]

    init(_ configuration: Configuration) {
        for (index, listener) in configuration.listeners.enumerated() {
            add(Place(path: "listeners[\(index)]", access: listener.access, role: listener.role))
        }
        for list in configuration.routes {
            for (index, route) in list.routes.enumerated() {
                add(Place(path: "routes.\(list.name)[\(index)]", access: route.access))
            }
        }
    }

    private mutating func add(_ place: Place) {
        guard !place.access.isEmpty else { return }
        indices[place.path] = Int32(all.count)
        all.append(place)
    }

    /// The index of the plan of a listener or a route; -1 if it lets everything in.
    func index(of path: String) -> Int32 { indices[path] ?? -1 }
}
