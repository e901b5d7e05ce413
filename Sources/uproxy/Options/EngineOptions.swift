internal import ArgumentParser
internal import UringProxy

struct EngineOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Worker threads (default: the CPUs available).", valueName: "n"))
    var threads: Int?

    @Option(
        help: ArgumentHelp(
            "The driver; auto takes io_uring where the kernel lets it, and says so (default: auto).",
            valueName: "driver"))
    var io: Configuration.IOChoice?

    @Option(
        help: ArgumentHelp(
            "Become this user once the listeners are open (default: stay who started it).", valueName: "name")
    )
    var user: String?

    @Option(
        help: ArgumentHelp(
            "Write the process's number here while it serves (default: nowhere).", valueName: "path"))
    var pidFile: String?

    @Option(help: ArgumentHelp("Bind each worker to one CPU (default: on).", valueName: "switch"))
    var pin: Toggle?

    @Option(
        help: ArgumentHelp(
            "The memory to size connections and buffers for (default: a share of the machine's).",
            valueName: "size"),
        transform: size)
    var memory: UInt64?

    @Option(
        help: ArgumentHelp(
            "Zero-copy sends of long bodies; they pay on real network cards only (default: off).",
            valueName: "mode"))
    var zeroCopy: Configuration.ZeroCopy?

    @Option(
        help: ArgumentHelp(
            "Let the kernel encrypt the rest of long bodies over TLS 1.3; auto: where it can (default: off).",
            valueName: "mode"))
    var kernelTls: Configuration.KernelTLSChoice?

    @Option(
        help: durationHelp(
            "Spin up to so long before sleeping, while that pays: less latency, more CPU; up to 1ms",
            defaults.busyPoll),
        transform: duration)
    var busyPoll: Nanoseconds?

    @Option(
        help: ArgumentHelp(
            "Pass long bodies and tunnels through pipes instead of copying them (default: auto).",
            valueName: "mode"))
    var splice: Configuration.Splice?

    func apply(to configuration: inout Configuration) {
        if let threads { configuration.threads = threads }
        set(&configuration.io, to: io)
        if let user { configuration.user = user }
        if let pidFile { configuration.pidFile = pidFile }
        set(&configuration.pin, to: pin.map { $0 == .on })
        if let memory { configuration.memoryBytes = memory == 0 ? nil : memory }
        set(&configuration.zeroCopy, to: zeroCopy)
        set(&configuration.kernelTLS, to: kernelTls)
        set(&configuration.busyPoll, to: busyPoll)
        set(&configuration.splice, to: splice)
    }
}
