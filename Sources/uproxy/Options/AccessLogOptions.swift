internal import ArgumentParser
internal import UringProxy

struct AccessLogOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Write what became of each exchange to a file, stdout, stderr, syslog:/dev/log, syslog:udp:HOST:PORT or journald (default: off).",
            valueName: "to"))
    var accessLog: String?

    @Option(
        help: ArgumentHelp(
            "How: combined, json, logfmt, binary, or a template such as '{client} {status}' (default: combined).",
            valueName: "format"))
    var accessLogFormat: String?

    func apply(to configuration: inout Configuration) {
        if accessLog == "off" {
            configuration.accessLog = nil
            return
        }
        if let accessLog {
            if configuration.accessLog == nil {
                configuration.accessLog = AccessLogConfiguration(to: accessLog)
            }
            configuration.accessLog?.to = accessLog
        }
        if let accessLogFormat { configuration.accessLog?.format = accessLogFormat }
    }
}
