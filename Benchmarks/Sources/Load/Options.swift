/// What the command line asks for.
struct Options: Equatable {
    enum Mode: String, CaseIterable { case closed, open, idle, slow }

    var mode = Mode.closed
    var target = HostPort(host: "", port: 0)
    var connections = 64
    /// nil: three, or with a limit of requests until that is reached.
    var seconds: Double?
    /// nil: half a second, or none with a limit of requests.
    var warmup: Double?
    var path = "/size/128"
    /// The Host field; nil: what the request is for.
    var host: String?
    var expectedStatus = 200
    /// nil: what the first answer has.
    var expectedBytes: Int?
    /// nil: POST with a body, GET without.
    var method: String?
    var bodyBytes: Int?
    var isChunked = false
    var isNewConnection = false
    /// The origin of absolute-form targets, as `http://HOST:PORT`.
    var absolute: String?
    /// Where tunnels lead.
    var connect: HostPort?
    var pipeline = 1
    var requestLimit: Int?
    var timeout = 10.0
    /// nil: as many source addresses as the connections need.
    var sources: Int?
    /// Requests per second.
    var rate = 0.0
    var isAgain = false
    var interval = 1.0

    var windowSeconds: Double { seconds ?? (requestLimit == nil ? 3 : 86_400) }
    var warmupSeconds: Double { warmup ?? (requestLimit == nil ? 0.5 : 0) }

    /// Every port of a source address serves one connection at a time (28,232 by default); a connection for each
    /// request leaves ports in TIME_WAIT, which on loopback can be used again after a second (net.ipv4.tcp_tw_reuse 2).
    var sourceCount: Int { sources ?? (isNewConnection ? 64 : max(1, (connections + 15_999) / 16_000)) }

    /// - Parameter arguments: without the program's name.
    init(_ arguments: [String]) throws(UsageError) {
        var reader = ArgumentReader(arguments)
        guard let word = reader.nextWord() else {
            throw UsageError("a mode is missing: closed, open, idle or slow")
        }
        guard let mode = Mode(rawValue: word) else {
            throw UsageError("there is no mode '\(word)': closed, open, idle or slow")
        }
        self.mode = mode
        while let name = try reader.nextOption() {
            guard Self.modes(of: name).contains(mode) else {
                throw UsageError(
                    Self.modes(of: name).isEmpty
                        ? "there is no option \(name)" : "\(name) does not go with \(mode)")
            }
            try take(name, from: &reader)
        }
        try check()
    }

    /// The modes in which an option has a meaning.
    private static func modes(of option: String) -> [Mode] {
        switch option {
        case "--target", "--connections", "--path", "--host", "--sources", "--timeout": Mode.allCases
        case "--expect-status", "--expect-bytes", "--absolute", "--connect": [.closed, .open, .idle]
        case "--seconds", "--warmup", "--method", "--body-bytes", "--chunked", "--new-connection":
            [.closed, .open]
        case "--pipeline", "--limit-requests": [.closed]
        case "--rate": [.open]
        case "--again": [.idle]
        case "--interval": [.slow]
        default: []
        }
    }

    private mutating func take(_ name: String, from reader: inout ArgumentReader) throws(UsageError) {
        switch name {
        case "--target": target = try reader.hostPort()
        case "--connections": connections = try reader.count()
        case "--seconds": seconds = try reader.seconds()
        case "--warmup": warmup = try reader.seconds()
        case "--path":
            path = try reader.value()
            if !path.hasPrefix("/") { throw UsageError("--path begins with '/'") }
        case "--host": host = try reader.value()
        case "--expect-status": expectedStatus = try reader.count()
        case "--expect-bytes": expectedBytes = try reader.size()
        case "--method":
            let value = try reader.value()
            guard ["GET", "POST", "PUT"].contains(value) else {
                throw UsageError("--method is GET, POST or PUT")
            }
            method = value
        case "--body-bytes": bodyBytes = try reader.size()
        case "--chunked": isChunked = true
        case "--new-connection": isNewConnection = true
        case "--absolute":
            let value = try reader.value()
            let authority = value.dropFirst("http://".count)
            guard value.hasPrefix("http://"), !authority.isEmpty, !authority.contains("/") else {
                throw UsageError("--absolute is http://HOST:PORT")
            }
            absolute = value
        case "--connect": connect = try reader.hostPort()
        case "--pipeline": pipeline = try reader.count()
        case "--limit-requests": requestLimit = try reader.count()
        case "--timeout": timeout = try reader.seconds()
        case "--sources": sources = try reader.count()
        case "--rate": rate = try reader.number()
        case "--again": isAgain = true
        case "--interval": interval = try reader.seconds()
        default: preconditionFailure("\(name) has modes, but no meaning")
        }
    }

    private func check() throws(UsageError) {
        if target.host.isEmpty { throw UsageError("--target is missing") }
        if connections > 1 << 20 { throw UsageError("--connections is at most \(1 << 20)") }
        if mode == .open && rate <= 0 { throw UsageError("open needs a --rate above 0") }
        if mode != .slow && timeout <= 0 { throw UsageError("--timeout is above 0") }
        if mode == .slow && interval <= 0 { throw UsageError("--interval is above 0") }
        if windowSeconds <= 0 { throw UsageError("--seconds is above 0") }
        if bodyBytes == nil && isChunked { throw UsageError("--chunked needs --body-bytes") }
        if method == "GET" && bodyBytes != nil { throw UsageError("--body-bytes needs POST or PUT") }
        if absolute != nil && connect != nil {
            throw UsageError("--absolute and --connect exclude each other")
        }
        if !(100...599).contains(expectedStatus) { throw UsageError("--expect-status is from 100 to 599") }
        if pipeline > 1 {
            if pipeline > 1000 { throw UsageError("--pipeline is at most 1000") }
            if isNewConnection { throw UsageError("--pipeline and --new-connection exclude each other") }
            if bodyBytes ?? 0 > Request.inlineBodySize {
                throw UsageError("--pipeline takes bodies of at most \(Request.inlineBodySize) bytes")
            }
            if let requestLimit, requestLimit % pipeline != 0 {
                throw UsageError("--limit-requests is a multiple of --pipeline")
            }
        }
        if sourceCount > 65_000 { throw UsageError("--sources is at most 65000") }
    }
}
