// What of a cluster's discovery cannot work.
extension ClusterConfiguration {
    /// Whether a request may find more than one endpoint there.
    var mayHaveSeveralEndpoints: Bool { discovery != nil || endpoints.count > 1 }

    /// What a name commonly has at most.
    static let endpointsOfName = 16

    /// Where its requests go, in a few words.
    var destination: String {
        discovery.map(\.description) ?? endpoints.joined(separator: ", ")
    }

    func checkDiscovery(_ problems: inout ProblemList) {
        let path = "clusters.\(name)"
        guard let discovery else {
            if endpoints.isEmpty {
                problems.add(
                    "\(path).endpoints", "there is no endpoint",
                    "name one as HOST:PORT or unix:PATH, or say by 'discovery' where they are found")
            }
            return
        }
        if !endpoints.isEmpty {
            problems.add(
                "\(path).discovery", "it stands beside 'endpoints'",
                "keep one of them: endpoints are listed, or found")
        }
        let found = [("dns", discovery.dns), ("srv", discovery.srv), ("file", discovery.file)]
            .filter { $0.1 != nil }.map(\.0)
        if found.count != 1 {
            problems.add(
                "\(path).discovery",
                found.isEmpty
                    ? "it does not say where endpoints are found"
                    : "it names \(found.joined(separator: " and ")) at once",
                "write one of 'dns: HOST:PORT', 'srv: NAME' and 'file: PATH'")
        }
        if let dns = discovery.dns { Self.checkHost(dns, "\(path).discovery.dns", &problems) }
        if let srv = discovery.srv { Self.checkService(srv, "\(path).discovery.srv", &problems) }
        checkTimes(of: discovery, "\(path).discovery", &problems)
    }

    private static func checkHost(_ text: String, _ path: String, _ problems: inout ProblemList) {
        do throws(OptionSyntaxError) {
            let address = try AddressText(parsing: text)
            try address.checkConnectable(text)
            if case .host(let host, _) = address, !host.hasPrefix("["), !AddressText.isIPv4(host[...]) {
                return
            }
            problems.add(path, "\(quoted(text)) names no host to look up", "list it as an endpoint")
        } catch {
            let message = error.parts(otherwise: "").message
            problems.add(path, message, "write HOST:PORT, such as app.internal:8080")
        }
    }

    private static func checkService(_ text: String, _ path: String, _ problems: inout ProblemList) {
        if text.contains(":") {
            problems.add(
                path, "\(quoted(text)) has a port, which each record has for itself",
                "write the name alone, such as _http._tcp.app.internal")
        } else if !AddressText.isName(text[...]) {
            problems.add(
                path, "\(quoted(text)) is no name", "write for example _http._tcp.app.internal")
        }
    }

    private func checkTimes(
        of discovery: DiscoveryConfiguration, _ path: String, _ problems: inout ProblemList
    ) {
        checkSpan(discovery.refreshMin, "\(path).refresh_min", &problems)
        checkSpan(discovery.refreshMax, "\(path).refresh_max", &problems)
        if discovery.refreshMin > discovery.refreshMax {
            problems.add(
                "\(path).refresh_min",
                "\(discovery.refreshMin) is longer than 'refresh_max' (\(discovery.refreshMax))",
                "lower it, or raise 'refresh_max'")
        }
        if discovery.wait < .zero || discovery.wait > DiscoveryConfiguration.longestWait {
            problems.add(
                "\(path).wait", "\(discovery.wait) is outside 0 to \(DiscoveryConfiguration.longestWait)",
                "give some seconds, or 0 not to wait")
        }
        let isTimed =
            discovery.refreshMin != DiscoveryConfiguration.defaultRefreshMin
            || discovery.refreshMax != DiscoveryConfiguration.defaultRefreshMax
            || discovery.wait != DiscoveryConfiguration.defaultWait
        if discovery.file != nil && isTimed {
            problems.add(
                "\(path).file", "a file is not read by the times of DNS",
                "leave 'refresh_min', 'refresh_max' and 'wait' out: it is looked at twice a second")
        }
    }
}
