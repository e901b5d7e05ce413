internal import ArgumentParser
internal import UringProxy

struct BalancingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How requests are spread over the upstreams (default: \(defaults.balance.rawValue)).",
            valueName: "policy"))
    var balance: BalancingPolicy?

    @Option(
        help: ArgumentHelp(
            "What ring-hash and maglev choose by: uri, source, header:NAME or cookie:NAME.", valueName: "key"),
        transform: { try HashKey(parsing: $0) })
    var hashKey: HashKey?

    func apply(to configuration: inout Configuration) {
        set(&configuration.balance, to: balance)
        if let hashKey { configuration.hashKey = hashKey }
    }
}
