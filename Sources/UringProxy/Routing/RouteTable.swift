/// Which rule takes a request: host and path of all rules as one immutable table that workers share.
///
/// The order in which rules are tried, as in the Kubernetes Gateway API; the most specific comes first, wherever it stands
/// in the file:
///
/// 1. The host: exact; then the longest wildcard; then regular expressions in the order of the file; then any.
/// 2. Within a host, the path: exact; then templates; then the longest prefix; then regular expressions in the order of
///    the file; then any. Of two templates that of which the first segment that differs is literal comes first, and a
///    placeholder for one segment comes before one for the rest.
/// 3. Among rules with the same host and the same path: the order of the file.
///
/// The first rule whose other conditions (methods, fields, query, sources, places) hold takes the request. If none of those with
/// one path does, the search goes on with the next less specific path, then with the next less specific host. A rule with
/// several hosts counts for each. A target without a path (`OPTIONS *`, CONNECT) meets the rules for any path alone.
///
/// The cost does not grow with the number of rules: hosts are found by hash, wildcards by a hash for each label (no more than
/// the longest one has), paths by a hash for each segment. What grows it are regular expressions, which are tried one after
/// the other, and rules with one host and one path, likewise. Templates may make the search go back: it meets each node of
/// the host's paths at most once, and how many nodes the worst path can make it meet is known from the patterns alone.
/// More than `visitLimit` are refused when the table is made, so that no request can be slow.
final class RouteTable: Sendable {
    /// Most nodes that one look-up may meet for one host.
    static var visitLimit: Int { 1024 }

    /// Rules that never take a request, for the check of a configuration to warn of.
    let shadowed: [Shadowed]
    /// Regular expressions, and how many of them are interpreted as no machine code could be made of them.
    let expressionCount: Int
    let interpretedCount: Int

    let exactHosts: LabelTable
    let wildcards: LabelTable
    /// The most labels of a wildcard, its star not counted.
    let wildcardLabels: Int
    /// Some exact hosts are IPv6 addresses, which a request may spell in several ways.
    let hasIPv6Hosts: Bool
    let hostExpressions: FixedArray<Expression>
    let anyHost: UInt32

    let hosts: FixedArray<Host>
    let nodes: FixedArray<Node>
    let labels: LabelTable
    /// The most segments of a pattern: what stands behind them in a path is not looked at.
    let segmentLimit: Int
    let pathExpressions: FixedArray<Expression>

    let links: FixedArray<Link>
    let conditions: FixedArray<Conditions>
    let tests: FixedArray<Test>
    let methodNames: FixedArray<ByteRange>
    let sources: FixedArray<AddressBlock>
    let geos: GeoTable
    let texts: FixedBytes
    let expressionCodes: FixedArray<RegularExpression.Code>

    let seed: UInt64
    /// Keeps alive what the codes are of.
    private let expressions: [RegularExpression]

    /// - Parameters:
    ///   - rules: in the order of the file; `RouteMatch.rule` counts them.
    ///   - seed: of the hashes; random, so that nobody can choose hosts and paths that fall into one bucket.
    init(_ rules: [RouteRule], seed: UInt64) throws(OptionSyntaxError) {
        var builder = RouteTableBuilder()
        for (index, rule) in rules.enumerated() { builder.add(rule, index: index) }
        try builder.checkVisits(limit: Self.visitLimit)
        let paths = builder.compiledPaths()
        let names = builder.compiledHosts()

        shadowed = builder.shadowed
        expressions = builder.expressions
        expressionCount = builder.expressions.count
        interpretedCount = builder.expressions.filter { !$0.isMachineCode }.count
        exactHosts = LabelTable(names.exact, texts: names.texts, seed: seed, foldingCase: true)
        wildcards = LabelTable(names.wildcards, texts: names.texts, seed: seed, foldingCase: true)
        wildcardLabels = names.wildcardLabels
        hasIPv6Hosts = names.hasIPv6
        hostExpressions = FixedArray(names.expressions)
        anyHost = names.any
        hosts = FixedArray(paths.hosts)
        nodes = FixedArray(paths.nodes)
        labels = LabelTable(paths.labels, texts: paths.texts, seed: seed, foldingCase: false)
        segmentLimit = paths.segmentLimit
        pathExpressions = FixedArray(paths.expressions)
        links = FixedArray(paths.links)
        conditions = FixedArray(builder.conditions)
        tests = FixedArray(builder.tests)
        methodNames = FixedArray(builder.methodNames)
        sources = FixedArray(builder.sources)
        geos = GeoTable(builder.geos)
        asksCertificate = builder.conditions.contains { $0.certificate != .either }
        texts = FixedBytes(builder.texts)
        expressionCodes = FixedArray(builder.expressions.map(\.code))
        self.seed = seed
    }

    /// Whether a rule asks where requests come from: then their location has to be looked up.
    @inline(__always)
    var asksLocation: Bool { !geos.isEmpty }

    /// Whether a rule asks for the client's certificate.
    let asksCertificate: Bool

    /// What the table holds; PCRE2's code not counted.
    var sizeBytes: Int {
        exactHosts.sizeBytes + wildcards.sizeBytes + hostExpressions.sizeBytes + hosts.sizeBytes
            + nodes.sizeBytes
            + labels.sizeBytes + pathExpressions.sizeBytes + links.sizeBytes + conditions.sizeBytes
            + tests.sizeBytes
            + methodNames.sizeBytes + sources.sizeBytes + geos.sizeBytes
            + texts.sizeBytes + expressionCodes.sizeBytes
    }
}
