internal import ArgumentParser
internal import UringProxy

struct FlightRecorderOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Keep the last events of each worker, for uproxy trace; auto: where there is an admin listener or a directory (default: auto).",
            valueName: "auto|on|off"))
    var flightRecorder: FlightRecorderConfiguration.Switch?

    @Option(
        help: ArgumentHelp(
            "Write slow exchanges, stalls and crashes to files in this directory (default: off).",
            valueName: "path"))
    var flightRecorderDirectory: String?

    func apply(to configuration: inout Configuration) {
        if let flightRecorder { configuration.flightRecorder.enabled = flightRecorder }
        if let directory = flightRecorderDirectory {
            configuration.flightRecorder.directory = directory == "off" ? nil : directory
        }
    }
}
