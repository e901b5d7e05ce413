/// What is asked of the admin listener.
struct AdminRequest {
    let method: Method
    /// Its path's segments, decoded; of `/` there are none.
    let path: [String]
    /// Behind the `?`, as it stands there.
    let query: String
    /// A web page made a browser send it (Fetch, section 3.2).
    let isFromPage: Bool
    /// It names the machine as the Internet does. A page may have its own name lead to a listener on loopback, and then read what it
    /// answers (DNS rebinding); whoever is on the machine says localhost, or an address.
    let namesDomain: Bool
    let format: MetricsFormat
    /// What stands behind `Bearer` (RFC 6750 §2.1).
    let token: String?

    /// - Parameter values: of the fields that have a name, which is in lower case.
    init(method: Method, target: String, values: (String) -> [String]) {
        self.method = method
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = parts[0].split(separator: "/").map(Self.decoded)
        query = parts.count > 1 ? String(parts[1]) : ""
        // A page of our own says where it is from as well.
        isFromPage = !(values("origin") + values("sec-fetch-site")).isEmpty
        let host = values("host").first ?? ""
        let name = host.hasPrefix("[") ? "" : host.prefix { $0 != ":" }.lowercased()
        namesDomain =
            name.contains(".") && IPAddress(name) == nil && !name.hasSuffix(".localhost")
        format = MetricsFormat(accept: values("accept"))
        let authorization = values("authorization").first ?? ""
        let words = authorization.split(separator: " ", maxSplits: 1)
        token = words.count == 2 && words[0].lowercased() == "bearer" ? String(words[1]) : nil
    }

    /// A segment without its percent-encoding (RFC 3986 §2.1).
    private static func decoded(_ segment: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = segment.utf8
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(Substring(rest.prefix(2))), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What the query says, if it says nothing but these.
    func parameters(_ known: String...) throws(OptionSyntaxError) -> [String: String] {
        var found: [String: String] = [:]
        for (name, value) in ExplanationQuery.parameters(query) {
            guard known.contains(name) else {
                let there = known.isEmpty ? "none is taken" : "there are \(known.joined(separator: ", "))"
                throw OptionSyntaxError("there is no parameter \(quoted(name)): \(there)")
            }
            found[name] = value
        }
        return found
    }
}

/// What the admin listener answers.
struct AdminResponse {
    static let text = "text/plain; charset=utf-8"
    static let json = "application/json"

    var status: UInt16 = 200
    var type = Self.text
    var body: [UInt8]
    /// Field lines beside those that all answers have.
    var fields: [(name: String, value: String)] = []

    init(
        status: UInt16 = 200, type: String = Self.text, body: [UInt8],
        fields: [(name: String, value: String)] = []
    ) {
        self.status = status
        self.type = type
        self.body = body
        self.fields = fields
    }

    init(
        status: UInt16 = 200, type: String = Self.text, body: String,
        fields: [(name: String, value: String)] = []
    ) {
        self.init(status: status, type: type, body: Array(body.utf8), fields: fields)
    }

    static func text(_ status: UInt16, _ line: String) -> AdminResponse {
        AdminResponse(status: status, body: line + "\n")
    }

    static func json(_ status: UInt16 = 200, _ members: (inout JSONText) -> Void) -> AdminResponse {
        AdminResponse(
            status: status, type: json, body: JSONText.object(members),
            fields: [("Cache-Control", "no-store")])
    }

    /// What is wrong, of those who speak JSON.
    static func error(_ status: UInt16, _ message: String) -> AdminResponse {
        json(status) { $0.member("error", message) }
    }
}
