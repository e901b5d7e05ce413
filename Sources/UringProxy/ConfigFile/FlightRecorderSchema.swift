/// What a configuration file may say of the flight recorder.
enum FlightRecorderSchema {
    static let keys: [SchemaKey<Configuration>] = [
        .value(
            "enabled", \.flightRecorder.enabled, .choice,
            "Whether the last events of each worker are kept; auto (the default): where there is an admin listener, or a directory.",
            option: "--flight-recorder"),
        .value(
            "events", \.flightRecorder.events, .count(FlightRecorderConfiguration.eventRange),
            "How many of each worker, of 32 bytes each; rounded up to a power of two (default: 65536)."),
        .value(
            "slow", \.flightRecorder.slow, .duration,
            "An exchange that takes as long is written to a file (default: 1s); 0: none is for that."),
        .value(
            "stall", \.flightRecorder.stall, .duration,
            "A worker that does one thing for so long is told of in the log, with the function it is in: 5ms to 10s (default: 30ms); 0: nobody looks."
        ),
        .value(
            "directory", \.flightRecorder.directory, ValueSyntax.text("a path").optional("off"),
            "Where slow exchanges, stalls and crashes leave files for 'uproxy trace' (default: off).",
            option: "--flight-recorder-directory"),
        .value(
            "keep", \.flightRecorder.keep, .count(FlightRecorderConfiguration.keepRange),
            "Files that stay there, older ones are deleted (default: 16)."),
    ]
}
