// When a cluster's endpoints are looked for.
extension Explanation {
    /// Of so many endpoints each is named.
    private static let namedEndpoints = 16

    mutating func explainDiscovery(_ discovery: DiscoveryConfiguration, of cluster: String) {
        let until =
            discovery.wait.isOn
            ? "a start waits up to \(discovery.wait) for the first" : "a start does not wait for the first"
        add(
            "discovery",
            discovery.file == nil
                ? "asked again when the time to live is over, after \(discovery.refreshMin) to \(discovery.refreshMax); what was found last stays when nothing is; \(until), and the answer is 503 until then"
                : "read again when it changes; what it said last stays when it cannot be used",
            "clusters.\(cluster).discovery")
        guard let found = discovered.first(where: { $0.cluster == cluster })?.endpoints else { return }
        let names = found.prefix(Self.namedEndpoints).map {
            $0.identity + ($0.weight == 1 ? "" : ",weight=\($0.weight)")
        }
        let more = found.count > names.count ? " and \(found.count - names.count) more" : ""
        add("found", found.isEmpty ? "nothing yet: 503" : names.joined(separator: ", ") + more, nil)
    }
}
