/// A piece of a template, as its text says it: what a redirection, a rewritten path or a field is made of.
enum TemplatePart: Sendable, Equatable {
    case literal([UInt8])
    case variable(TemplateVariable)
    /// The normal path without so many of its first bytes; "/" where a template that begins with it would write nothing.
    case pathWithoutPrefix(Int)
    /// Of the path's captures, by its place.
    case capture(Int)
    /// The first field of this name.
    case header(String)
    /// The first cookie of this name.
    case cookie(String)
    /// A field line begins, with this name; it is left out if nothing stands between here and its end.
    case line(String)
    case lineEnd
}

/// What a placeholder without an argument stands for.
enum TemplateVariable: UInt8, BitwiseCopyable, Sendable {
    /// Without port, an IPv6 address in its brackets.
    case host
    /// As received.
    case path
    /// As routes are matched with it (`PathNormalizer`); "/" if the request has none.
    case normalPath
    /// With its "?", or nothing.
    case query
    case method
    case clientAddress
    case requestID
    case cluster
    /// Seconds since 1970, with milliseconds.
    case time
    /// Where the client is, as geo databases have it; nothing where that is not known.
    case country
    case region
    case autonomousSystem
    /// What the client's certificate says, or is; nothing where it has shown none.
    case clientSubject
    case clientIssuer
    case clientSerial
    case clientFingerprint
    case clientCertificate
    /// Whether it has shown one: `yes` or `no`.
    case clientVerified
    /// Of a response: where it comes from. Written as `ResponseLines.endpointMark`, which is replaced when that is known.
    case endpoint

    /// Whether it is known from geo databases alone.
    var isPlace: Bool { Self.places.contains { $0.variable == self } }

    /// Whether it is known from the client's certificate alone.
    var isOfCertificate: Bool { Self.ofCertificate.contains { $0.variable == self } }

    /// Those, as placeholders have them.
    static let ofCertificate: [(name: String, variable: TemplateVariable)] = [
        ("client_cert:subject", .clientSubject), ("client_cert:issuer", .clientIssuer),
        ("client_cert:serial", .clientSerial), ("client_cert:fingerprint", .clientFingerprint),
        ("client_cert:field", .clientCertificate), ("client_cert:verified", .clientVerified),
    ]

    /// Those of a place, as placeholders have them.
    static let places: [(name: String, variable: TemplateVariable)] = [
        ("geo:country", .country), ("geo:region", .region), ("geo:asn", .autonomousSystem),
    ]
}
