/// What a configuration file may say of traces.
enum TracingSchema {
    static let keys: [SchemaKey<TracingConfiguration>] = [
        .value("enabled", \.isOn, .toggle, "off: as if the section were not there (default: on)."),
        .value(
            "sample", \.sample, .count(TracingConfiguration.sampleRange),
            "Of traces that begin here one in so many is sampled (default: 1, all of them); 0: none is."),
        .value(
            "parent", \.parent, .choice,
            "What is made of a client's traceparent: honour (the default; its trace goes on, and is sampled if it says so), resample (its trace goes on, and 'sample' decides) or ignore (a trace begins here)."
        ),
        .value(
            "service", \.service, .text("a name"),
            "What spans are said to be of: service.name (default: uproxy)."),
        .optional(
            "instance", \.instance, .text("a name"),
            "What tells this process from others: service.instance.id (default: drawn at the start)."),
        .pairs(
            "attributes", \.attributes,
            "Other attributes of the resource, such as deployment.environment.name.",
            pair: { TracingConfiguration.Entry(name: $0, value: $1) }, parts: { ($0.name, $0.value) }),
        .object(
            "otlp", \.export, "The collector that spans are sent to; left out, none are.",
            new: { TracingConfiguration.Export(endpoint: "") }, exportKeys),
    ]

    private static let exportKeys: [SchemaKey<TracingConfiguration.Export>] = [
        .value(
            "endpoint", \.endpoint, .text("http://HOST:PORT/v1/traces"),
            "Where it takes OTLP over HTTP: http://HOST:4318/v1/traces.", isRequired: true),
        .pairs(
            "headers", \.headers, "Fields of requests to it, such as authorization.",
            pair: { TracingConfiguration.Entry(name: $0, value: $1) }, parts: { ($0.name, $0.value) }),
        .value("timeout", \.timeout, .duration, "For one request to it (default: 10s)."),
        .value(
            "batch", \.batch, .count(TracingConfiguration.batchRange),
            "Spans of a request at most (default: 512)."
        ),
        .value(
            "interval", \.interval, .duration, "How long a span waits for others at most (default: 5s)."),
        .value(
            "queue", \.queue, .count(TracingConfiguration.queueRange),
            "Spans that wait to be sent at most; those beyond it are dropped and counted (default: 2048)."),
    ]
}
