// When a cluster's endpoints are looked for.
extension Explanation {
    mutating func explainDiscovery(_ discovery: DiscoveryConfiguration, _ path: String) {
        let until =
            discovery.wait.isOn
            ? "a start waits up to \(discovery.wait) for the first" : "a start does not wait for the first"
        add(
            "discovery",
            discovery.file == nil
                ? "asked again when the time to live is over, after \(discovery.refreshMin) to \(discovery.refreshMax); what was found last stays when nothing is; \(until), and the answer is 503 until then"
                : "read again when it changes; what it said last stays when it cannot be used",
            path)
    }
}
