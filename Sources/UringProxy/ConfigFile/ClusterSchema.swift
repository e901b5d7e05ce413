/// What a configuration file may say of a cluster's endpoints, their TLS, cookie, health checks, outliers, retries and limits.
enum ClusterSchema {
    static let endpointKeys: [SchemaKey<EndpointEntry>] = [
        .value(
            "address", \.address, .endpointAddress, "Where it is: HOST:PORT or unix:PATH.", isRequired: true),
        .optional(
            "weight", \.weight,
            .count(Int(UpstreamText.weightRange.lowerBound)...Int(UpstreamText.weightRange.upperBound)),
            "Its share, next to those of the others (default: 1)."),
        .optional("zone", \.zone, .zone, "The zone that it stands in."),
        .optional(
            "priority", \.priority,
            .count(Int(UpstreamText.priorityRange.lowerBound)...Int(UpstreamText.priorityRange.upperBound)),
            "0 (the default): it is used; more: only while none with a smaller number can be."),
    ]

    static let discoveryKeys: [SchemaKey<DiscoveryConfiguration>] = [
        .optional(
            "dns", \.dns, .text("HOST:PORT, such as app.internal:8080"),
            "Each address of the host is an endpoint: HOST:PORT."),
        .optional(
            "srv", \.srv, .text("the name of SRV records, such as _http._tcp.app.internal"),
            "Each SRV record is an endpoint, with its port, its weight and its priority."),
        .path(
            "file", \.file,
            "Each line of the file is an endpoint, or each item of a list in YAML; read again when it changes."
        ),
        .value(
            "refresh_min", \.refreshMin, .duration,
            "DNS is not asked again earlier, however short an answer's time to live."),
        .value(
            "refresh_max", \.refreshMax, .duration, "Nor later, however long an answer's time to live."),
        .value(
            "wait", \.wait, .duration,
            "How long a start, or the reload that brings the cluster, waits for DNS; then the answer is 503 until there is an endpoint."
        ),
    ]

    static let stickyKeys: [SchemaKey<StickyConfiguration>] = [
        .value("cookie", \.cookie, .text("the name of a cookie"), "The cookie's name.", isRequired: true),
        .value("path", \.path, .text("a path"), "The path that browsers send it for (default: /)."),
        .value(
            "max_age", \.maxAge, .duration, "How long browsers keep it; 0: until they end (the default)."),
        .value("http_only", \.httpOnly, .toggle, "Whether it is kept from scripts (default: on)."),
        .value("secure", \.secure, .toggle, "Whether browsers send it by https alone (default: off)."),
        .value(
            "same_site", \.sameSite, .choice,
            "Which requests from other sites it is sent with: lax (links alone, the default), strict (none) or none (all)."
        ),
        .path(
            "key_file", \.keyFile,
            "A file with a secret that keeps addresses from who tries all of them; the same for all instances."
        ),
    ]

    static let healthKeys: [SchemaKey<HealthCheckConfiguration>] = [
        .value(
            "type", \.kind, .choice,
            "http: a request is answered as it should be (the default); tcp: a connection can be made."),
        .value("path", \.path, .text("a path, such as /healthz"), "What is asked for."),
        .optional(
            "host", \.host, .text("the name of a host"),
            "The Host of the request; the endpoint's own, if it is left out."),
        .values("statuses", \.statuses, .statuses, "Statuses that are good answers: 200, 200-399."),
        .optional(
            "body", \.body, .text("a text"),
            "A text that the first 64 KiB of the answer's body have to hold."),
        .value("interval", \.interval, .duration, "From one check of an endpoint to the next."),
        .value(
            "jitter", \.jitter, .percent,
            "The part of the interval by which checks are earlier or later, so that endpoints are not asked in step."
        ),
        .value("timeout", \.timeout, .duration, "For a whole check."),
        .value(
            "rise", \.rise, .count(HealthCheckConfiguration.countRange),
            "Checks in a row that have to succeed for an unhealthy endpoint to become healthy."),
        .value(
            "fall", \.fall, .count(HealthCheckConfiguration.countRange),
            "Checks in a row that have to fail for a healthy endpoint to become unhealthy; the first of all decides alone."
        ),
    ]

    static let retryKeys: [SchemaKey<ClusterConfiguration>] = [
        .values(
            "on", \.retries.on, .choice,
            "What makes another attempt worth it: connect-failure (the default), reset, timeout, 429, 500, 502, 503, 504, 5xx; or never."
        ),
        .value(
            "attempts", \.retries.attempts, .count(RetryConfiguration.attemptsRange),
            "How often a request is sent at most; connections that fail are not counted."),
        .value(
            "try_timeout", \.retries.tryTimeout, .duration,
            "For the head of the response, in each attempt; 0: timeouts.upstream alone."),
        .value(
            "hedge_after", \.retries.hedgeAfter, .duration,
            "Without an answer for so long an idempotent request is sent to a second endpoint as well, and the first answer wins; 0: it is not."
        ),
        .value(
            "non_idempotent", \.retries.nonIdempotent, .toggle,
            "Whether POST and PATCH are sent again as well, though an endpoint may have acted on them."),
        .value(
            "budget", \.retries.budget, .percent,
            "The share of the cluster's requests that may be sent again; connect failures are not counted."),
        .value(
            "min_per_second", \.retries.minimum, .count(RetryConfiguration.minimumRange),
            "Retries a second that are allowed whatever the load."),
    ]

    static let limitKeys: [SchemaKey<ClusterConfiguration>] = [
        .value(
            "requests", \.limits.requests, .count(LimitConfiguration.range),
            "Requests under way at a time, of all threads together; 0: any number."),
        .value(
            "connections", \.limits.connections, .count(LimitConfiguration.range),
            "Connections open at a time, idle ones too, of all threads together; no more requests are under way than that (of HTTP/2: than those have streams). 0: any number."
        ),
        .value(
            "streams", \.limits.streams, .count(LimitConfiguration.streamRange),
            "Requests at a time of each connection that speaks HTTP/2 (default: 100); fewer if the endpoint allows fewer."
        ),
        .value(
            "endpoint_requests", \.limits.endpointRequests, .count(LimitConfiguration.range),
            "Requests under way at each endpoint, of all threads together; one that has as many gets no other. 0: any number."
        ),
        .value(
            "queue", \.limits.queue, .count(LimitConfiguration.range),
            "Further requests that wait for one of them to end; those beyond it are answered with 503."),
        .value(
            "queue_timeout", \.limits.queueTimeout, .duration, "How long they wait before the answer is 503."),
        .object(
            "adaptive", \.limits.adaptive,
            "A limit on requests without an answer that follows how long answers take; {} for one with the defaults.",
            new: { AdaptiveLimitConfiguration() }, adaptiveKeys),
    ]

    private static let adaptiveKeys: [SchemaKey<AdaptiveLimitConfiguration>] = [
        .value(
            "min", \.lowest, .count(AdaptiveLimitConfiguration.range), "What the limit never falls below."),
        .value("max", \.highest, .count(AdaptiveLimitConfiguration.range), "What it never exceeds."),
        .value(
            "buffer", \.buffer, .percent,
            "How much longer answers may take than under little load before the limit falls."),
        .value("window", \.window, .duration, "How long answers are timed together, at least."),
        .value(
            "remeasure", \.remeasure, .duration,
            "How often the latency under little load is measured, with a quarter of the limit."),
    ]

    static let outlierKeys: [SchemaKey<ClusterConfiguration>] = [
        .value(
            "consecutive", \.outliers.consecutive, .count(OutlierConfiguration.consecutiveRange),
            "Failures in a row that eject an endpoint; 0: any number is fine."),
        .value(
            "statuses", \.outliers.statuses, .choice,
            "Which answers are failures, beside what is no answer: none, gateway (502, 503, 504) or server (500 to 599)."
        ),
        .value(
            "error_rate", \.outliers.errorRate, .percent,
            "The share of a window's requests that ejects an endpoint if it fails; 0: any is fine."),
        .value(
            "latency_factor", \.outliers.latencyFactor, .count(OutlierConfiguration.latencyFactorRange),
            "So many times the other endpoints' latency, in the mean of a window, ejects an endpoint; 0: any is fine."
        ),
        .value(
            "minimum_requests", \.outliers.minimumRequests, .count(OutlierConfiguration.minimumRequestsRange),
            "Windows with fewer requests to an endpoint prove nothing."),
        .value("window", \.outliers.window, .duration, "How long requests are counted and timed together."),
        .value(
            "ejection", \.outliers.ejection, .duration,
            "How long an endpoint is ejected; each time in a row twice as long as before."),
        .value("ejection_max", \.outliers.longestEjection, .duration, "The longest ejection."),
        .value(
            "max_ejected", \.outliers.mostEjected, .percent,
            "The share of endpoints that may be ejected at a time, rounded up, never all; 0: none."),
    ]
}
