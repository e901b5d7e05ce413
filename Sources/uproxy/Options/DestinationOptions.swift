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

    func apply(to configuration: inout Configuration) {
        if !allowDestinations.isEmpty { configuration.allowDestinations = allowDestinations }
        if !denyDestinations.isEmpty { configuration.denyDestinations = denyDestinations }
        if !dnsServers.isEmpty { configuration.dnsServers = dnsServers }
    }
}
