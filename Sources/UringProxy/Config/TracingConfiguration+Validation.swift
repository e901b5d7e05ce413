extension TracingConfiguration {
    static let sampleRange = 0...1_000_000_000
    static let batchRange = 1...16_384
    static let queueRange = 1...131_072
    static let entryLimit = 64
    static let textLimit = 1024
    /// Fields of requests that are not for the user to set.
    private static let ownFields = [
        "host", "content-type", "content-length", "connection", "transfer-encoding", "expect", "upgrade",
        "te",
        "trailer", "keep-alive", "content-encoding",
    ]

    /// What is wrong with it.
    func check(_ problems: inout ProblemList) {
        if !Self.sampleRange.contains(sample) {
            problems.add(
                "tracing.sample", "\(sample) is not from 0 to \(Self.sampleRange.upperBound)",
                "write 1 for every trace, 100 for one in a hundred, 0 for none")
        }
        checkText("tracing.service", service, &problems)
        if let instance { checkText("tracing.instance", instance, &problems) }
        if attributes.count > Self.entryLimit {
            problems.add(
                "tracing.attributes", "\(attributes.count) attributes are more than \(Self.entryLimit)",
                "name fewer")
        }
        for entry in attributes {
            checkText("tracing.attributes.\(entry.name)", entry.value, &problems)
            if ["service.name", "service.instance.id", "service.version"].contains(entry.name) {
                problems.add(
                    "tracing.attributes.\(entry.name)", "it is known anyway",
                    "use tracing.service or tracing.instance, or leave it out")
            }
        }
        export?.check(&problems)
    }

    private func checkText(_ key: String, _ text: String, _ problems: inout ProblemList) {
        if text.isEmpty || text.utf8.count > Self.textLimit {
            problems.add(
                key, "\(quoted(text)) is empty, or longer than \(Self.textLimit) bytes",
                "write a name of 1 to \(Self.textLimit) bytes")
        }
    }
}

extension TracingConfiguration.Export {
    func check(_ problems: inout ProblemList) {
        do throws(OptionSyntaxError) { _ = try CollectorAddress(parsing: endpoint) } catch {
            problems.add("tracing.otlp.endpoint", error)
        }
        if headers.count > TracingConfiguration.entryLimit {
            problems.add(
                "tracing.otlp.headers",
                "\(headers.count) fields are more than \(TracingConfiguration.entryLimit)", "name fewer")
        }
        for entry in headers { check(entry, &problems) }
        if !timeout.isOn {
            problems.add(
                "tracing.otlp.timeout", "a collector that never answers would be waited for for ever",
                "write a time, such as 10s")
        }
        if !TracingConfiguration.batchRange.contains(batch) {
            problems.add(
                "tracing.otlp.batch",
                "\(batch) is not from 1 to \(TracingConfiguration.batchRange.upperBound)",
                "choose a value between them")
        }
        if interval.rawValue > 3_600_000_000_000 {
            problems.add("tracing.otlp.interval", "\(interval) is longer than 1h", "choose a shorter one")
        }
        if !TracingConfiguration.queueRange.contains(queue) || queue < batch {
            problems.add(
                "tracing.otlp.queue",
                "\(queue) is not from tracing.otlp.batch (\(batch)) to \(TracingConfiguration.queueRange.upperBound)",
                "choose a value between them")
        }
    }

    private func check(_ entry: TracingConfiguration.Entry, _ problems: inout ProblemList) {
        let key = "tracing.otlp.headers.\(entry.name)"
        let name = entry.name.lowercased()
        if name.isEmpty || name.utf8.count > 255 || !name.utf8.allSatisfy(\.isTokenByte) {
            problems.add(
                key, "\(quoted(entry.name)) is no name of a field",
                "write it as it stands before the colon, such as Authorization")
        }
        if TracingConfiguration.isOwn(field: name) {
            problems.add(key, "uproxy writes this field itself", "leave it out")
        }
        // RFC 9110 §5.5
        if entry.value.utf8.count > 8192 || entry.value.utf8.contains(where: { $0 < 32 || $0 == 127 }) {
            problems.add(
                key, "its value is longer than 8192 bytes, or has control characters", "write it in one line")
        }
    }
}

extension TracingConfiguration {
    fileprivate static func isOwn(field name: String) -> Bool { ownFields.contains(name) }
}

/// Where a collector is asked.
struct CollectorAddress: Sendable, Equatable {
    /// A name, or an address without brackets.
    let host: String
    let port: UInt16
    /// As Host says it.
    let authority: String
    let path: String

    /// - Parameter text: `http://HOST:PORT/PATH`; without a path it is `/v1/traces`, and without a port 4318.
    init(parsing text: String) throws(OptionSyntaxError) {
        if text.hasPrefix("https://") {
            throw OptionSyntaxError(
                "\(quoted(text)) asks for TLS, and spans are sent in clear alone: run a collector on this machine or a private network, and have it forward them over TLS"
            )
        }
        guard text.hasPrefix("http://") else {
            throw OptionSyntaxError(
                "\(quoted(text)) is no URL of a collector: write http://HOST:4318/v1/traces")
        }
        let rest = text.dropFirst("http://".count)
        let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        let path = rest[end...]
        guard !path.hasPrefix("?"), !path.contains("#"), path.utf8.count <= 2048,
            path.utf8.allSatisfy({ $0 > 32 && $0 < 127 })
        else {
            throw OptionSyntaxError(
                "\(quoted(text)) has no path that could be asked for: write http://HOST:4318/v1/traces")
        }
        self.path = path.isEmpty ? "/v1/traces" : String(path)
        let authority = rest[..<end]
        if authority.contains("@") {
            throw OptionSyntaxError(
                "\(quoted(text)) has credentials: write them as tracing.otlp.headers.authorization")
        }
        let hasPort =
            authority.hasPrefix("[") ? !authority.hasSuffix("]") : authority.contains(":")
        let whole = hasPort ? String(authority) : "\(authority):4318"
        guard case .host(let host, let port) = try AddressText(parsing: whole), port > 0 else {
            throw OptionSyntaxError("\(quoted(text)) has no host and port: write http://HOST:4318/v1/traces")
        }
        self.host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        self.port = port
        self.authority = whole
    }

    /// nil: it is a name.
    var address: IPAddress? {
        var host = host
        return host.withUTF8 { IPAddress(text: unsafe ByteView(UnsafeRawBufferPointer($0))) }
    }
}
