/// What a configuration file may say of the access log.
enum AccessLogSchema {
    /// Options of the command line that mean the same.
    static let optionOfKey = ["to": "--access-log", "format": "--access-log-format"]
    static let pathOfOption = optionOfKey.reduce(into: [:]) { $0[$1.value] = "access_log.\($1.key)" }

    private static let sizeInInt = ValueSyntax.size.converted({ Int(clamping: $0) }, { UInt64(clamping: $0) })

    static let keys: [SchemaKey<AccessLogConfiguration>] = [
        destination,
        .value(
            "format", \.format,
            .text("combined, json, logfmt, binary, or a template such as '{client} {status}'"),
            "combined (the default), json, logfmt, binary (for 'uproxy log cat'), or a template: text with {variables}."
        ),
        .value(
            "sample", \.sample, .count(AccessLogConfiguration.sampleRange),
            "One in so many exchanges is kept, and says how many it stands for (default: 1)."),
        .value(
            "rate", \.rate, .count(AccessLogConfiguration.rateRange),
            "Records a second at most; 0: any number (the default)."),
        .value(
            "slow", \.slow, .duration,
            "What takes as long is always kept, whatever sample and rate say (default: 1s); 0: nothing is for that."
        ),
        .value(
            "keep_errors", \.keepErrors, .toggle,
            "Whether answers of 5xx and failures are always kept (default: on)."),
        .section(
            "fields", "Fields whose values are kept, for json, logfmt and binary; templates name theirs.",
            [
                .values("request", \.requestFields, .text("the name of a field"), "Fields of the request."),
                .values(
                    "response", \.responseFields, .text("the name of a field"), "Fields of the response."),
            ]),
        .section(
            "redact", "Secrets that are not to stand in the log, whatever its format.",
            [
                .values(
                    "query", \.redactedQuery, .text("the name of a query parameter"),
                    "Query parameters whose values are left out."),
                .values(
                    "fields", \.redactedFields, .text("the name of a field"),
                    "Fields whose values are left out, on top of Authorization, Proxy-Authorization, Cookie and Set-Cookie."
                ),
            ]),
        .object(
            "rotate", \.rotation,
            "When the file is renamed and another one begun, after 'size' or 'every', whichever is first.",
            new: { AccessLogConfiguration.Rotation() },
            [
                .value("size", \.sizeBytes, .size, "Once it would be larger; 64KiB or more."),
                .value("every", \.every, .duration, "At the full hour or day, UTC: 1h, 6h, 12h, 1d…"),
                .value(
                    "keep", \.keep, .count(AccessLogConfiguration.keepRange),
                    "Renamed files that stay, older ones are deleted; 0: all stay (the default)."),
            ]),
        .value(
            "buffer", \.bufferBytes, sizeInInt,
            "Memory of each thread for records that wait to be written, rounded up to a power of two: 64KiB to 64MiB (default: 1MiB)."
        ),
        .value(
            "when_full", \.whenFull, .choice,
            "What happens where that is full: drop (the default; records are dropped and counted) or wait (and all exchanges of the thread with it)."
        ),
        .value(
            "record", \.recordBytes, sizeInInt,
            "The most that is kept of an exchange, texts are shortened to fit: 512B to 16KiB (default: 4KiB)."
        ),
    ]

    /// A relative path is so to the file it stands in.
    private static let destination: SchemaKey<AccessLogConfiguration> = {
        let syntax = ValueSyntax<String>.text(
            "the path of a file, stdout, stderr, syslog:/dev/log, syslog:udp:HOST:PORT or journald")
        return SchemaKey(
            name: "to",
            summary: "The path of a file, stdout, stderr, syslog:/dev/log, syslog:udp:HOST:PORT or journald.",
            option: nil, isRequired: true, shape: .value(syntax.schema),
            read: { node, path, target, reader in
                guard let text = reader.value(node, path, syntax) else { return }
                let isFile = (try? AccessLogDestination(parsing: text))?.isFile ?? false
                target.to = isFile ? node.position.path(of: text) : text
            }, write: { .scalar($0.to) })
    }()
}
