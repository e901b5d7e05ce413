internal import ArgumentParser
internal import UringProxy

struct DestinationOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Allow a CIDR, name, *.pattern or port that is denied otherwise. Repeatable. Private, loopback, link-local \
            and metadata addresses are denied unless allowed here; the answer is 403.
            """, valueName: "destination"))
    var allowDestinations: [String] = []

    @Option(
        help: ArgumentHelp(
            "Deny a CIDR, name, *.pattern or port as well. Repeatable.", valueName: "destination"))
    var denyDestinations: [String] = []

    @Option(
        name: .customLong("dns-server"),
        help: ArgumentHelp(
            "Ask this name server. Repeatable (default: those of /etc/resolv.conf).", valueName: "address"))
    var dnsServers: [String] = []

    @Option(
        help: ArgumentHelp(
            "Send requests through the proxies of this cluster of the file (default: where they want to go).",
            valueName: "cluster"))
    var parent: String?

    @Option(
        help: ArgumentHelp(
            "Reach a CIDR, name, *.pattern or port without the parent. Repeatable.", valueName: "destination")
    )
    var directDestinations: [String] = []

    @Option(
        help: ArgumentHelp("Pass Proxy-Authorization to the parent (default: off).", valueName: "mode"))
    var parentAuthorization: Configuration.ParentAuthorization?

    @Option(
        help: ArgumentHelp(
            "Show the parent the USER:PASSWORD in this file (default: none).", valueName: "path"))
    var parentCredentials: String?

    func apply(to configuration: inout Configuration) {
        if !allowDestinations.isEmpty { configuration.allowDestinations = allowDestinations }
        if !denyDestinations.isEmpty { configuration.denyDestinations = denyDestinations }
        if let parent { configuration.parent = parent }
        if !directDestinations.isEmpty { configuration.directDestinations = directDestinations }
        set(&configuration.parentAuthorization, to: parentAuthorization)
        if let parentCredentials { configuration.parentCredentials = parentCredentials }
        if !dnsServers.isEmpty { configuration.dnsServers = dnsServers }
    }
}
