/// Gathers rules by host and path, and compiles them into the arrays of a route table.
struct RouteTableBuilder {
    /// Rules with the same host and path.
    private struct Chain {
        var links: [RouteTable.Link] = []
        /// Which rule had these conditions first.
        var seen: [RouteConditions: Int] = [:]
        /// The first rule without conditions: what follows it is never asked.
        var unconditional: Int?
    }

    private struct Node {
        var parent: Int
        var isPlaceholder = false
        /// Segments from the root.
        var depth = 0
        var placeholder: Int?
        var literals: [String: Int] = [:]
        var ends: Int?
        var prefixes: Int?
        var rests: Int?
    }

    private struct Host {
        /// Nil for any host.
        let pattern: HostPattern?
        let root: Int
        /// In the order of the file.
        var expressions: [RouteTable.Expression] = []
        var expressionChains: [RegularExpression: Int] = [:]
        var anyPath: Int?
    }

    private var chains: [Chain] = []
    /// Each comes after the one above it.
    private var nodes: [Node] = []
    /// In the order of the file.
    private var hosts: [Host] = []
    private var hostIndices: [HostPattern?: Int] = [:]
    /// Edges in the order they were made, so that two runs give the same table.
    private var edges: [(parent: Int, text: String, child: Int)] = []

    private var conditionIndices: [RouteConditions: UInt32] = [:]
    private var expressionIndices: [RegularExpression: Int] = [:]

    private(set) var shadowed: [RouteTable.Shadowed] = []
    /// One for each text, however many rules have it.
    private(set) var expressions: [RegularExpression] = []
    private(set) var conditions: [RouteTable.Conditions] = []
    private(set) var tests: [RouteTable.Test] = []
    private(set) var methodNames: [ByteRange] = []
    private(set) var sources: [AddressBlock] = []
    private(set) var geos: [GeoRule] = []
    private(set) var texts: [UInt8] = []

    // MARK: Adding

    mutating func add(_ rule: RouteRule, index: Int) {
        let asked = RouteConditions(rule)
        var takenBy: Int?
        var isReachable = false
        for host in rule.hosts.isEmpty ? [nil] : rule.hosts.map(Optional.some) {
            let chain = chain(host: hostIndex(host), path: rule.path)
            let earlier = chains[chain].seen[asked] ?? chains[chain].unconditional
            guard earlier == nil || earlier == index else {
                takenBy = takenBy ?? earlier
                continue
            }
            isReachable = true
            // The same host twice.
            guard earlier == nil else { continue }
            let compiled = asked.areNone ? RouteTable.none : compiledConditions(asked, of: rule)
            chains[chain].links.append(
                RouteTable.Link(rule: UInt32(index), conditions: compiled, isLast: false))
            chains[chain].seen[asked] = index
            if asked.areNone { chains[chain].unconditional = index }
        }
        if !isReachable, let takenBy { shadowed.append(RouteTable.Shadowed(rule: index, by: takenBy)) }
    }

    private mutating func hostIndex(_ pattern: HostPattern?) -> Int {
        if let index = hostIndices[pattern] { return index }
        nodes.append(Node(parent: -1))
        hosts.append(Host(pattern: pattern, root: nodes.count - 1))
        hostIndices[pattern] = hosts.count - 1
        return hosts.count - 1
    }

    private mutating func chain(host: Int, path: PathPattern?) -> Int {
        switch path?.kind {
        case nil:
            return chain(at: \.hosts[host].anyPath)
        case .exact(let segments):
            let node = node(host, segments.map { .literal($0) })
            return chain(at: \.nodes[node].ends)
        case .prefix(let segments):
            let node = node(host, segments.map { .literal($0) })
            return chain(at: \.nodes[node].prefixes)
        case .template(let segments):
            if case .rest = segments.last {
                let node = node(host, segments.dropLast())
                return chain(at: \.nodes[node].rests)
            }
            let node = node(host, segments[...])
            return chain(at: \.nodes[node].ends)
        case .expression(let expression):
            if let known = hosts[host].expressionChains[expression] { return known }
            let chain = chain(at: \.hosts[host].expressionChains[expression])
            let code = expressions[index(of: expression)].code
            hosts[host].expressions.append(RouteTable.Expression(code: code, target: UInt32(chain)))
            return chain
        }
    }

    /// The chain that is named there; a new one if none is.
    private mutating func chain(at place: WritableKeyPath<RouteTableBuilder, Int?>) -> Int {
        if let chain = self[keyPath: place] { return chain }
        chains.append(Chain())
        self[keyPath: place] = chains.count - 1
        return chains.count - 1
    }

    private mutating func node(_ host: Int, _ segments: some Collection<PathPattern.Segment>) -> Int {
        var node = hosts[host].root
        for segment in segments {
            let known =
                if case .literal(let text) = segment { nodes[node].literals[text] } else {
                    nodes[node].placeholder
                }
            if let known {
                node = known
                continue
            }
            let child = nodes.count
            if case .literal(let text) = segment {
                nodes.append(Node(parent: node, depth: nodes[node].depth + 1))
                nodes[node].literals[text] = child
                edges.append((node, text, child))
            } else {
                nodes.append(Node(parent: node, isPlaceholder: true, depth: nodes[node].depth + 1))
                nodes[node].placeholder = child
            }
            node = child
        }
        return node
    }

    // MARK: Conditions

    private mutating func compiledConditions(_ asked: RouteConditions, of rule: RouteRule) -> UInt32 {
        if let index = conditionIndices[asked] { return index }
        var compiled = RouteTable.Conditions()
        let firstName = methodNames.count
        for method in rule.methods {
            switch method {
            case .known(let method): compiled.methods |= 1 << UInt32(method.rawValue)
            case .named(let name):
                compiled.methods |= 1 << UInt32(Method.other.rawValue)
                methodNames.append(text(name))
            }
        }
        compiled.methodNames = Self.items(firstName..<methodNames.count)
        let firstField = tests.count
        for field in rule.fields {
            let name = FixedBytes(Array(field.name.utf8))
            tests.append(test(field.name, field.value, id: FieldName.lookup(name.view)))
        }
        compiled.fields = Self.items(firstField..<tests.count)
        let firstParameter = tests.count
        for parameter in rule.query { tests.append(test(parameter.name, parameter.value, id: .other)) }
        compiled.query = Self.items(firstParameter..<tests.count)
        let firstSource = sources.count
        sources.append(contentsOf: AddressBlock.merged(rule.sources))
        compiled.sources = Self.items(firstSource..<sources.count)
        if !rule.geo.isEmpty {
            compiled.geo = UInt32(geos.count)
            geos.append(rule.geo)
        }
        if let isShown = rule.clientCertificate { compiled.certificate = isShown ? .shown : .missing }
        conditions.append(compiled)
        conditionIndices[asked] = UInt32(conditions.count - 1)
        return UInt32(conditions.count - 1)
    }

    private mutating func test(_ name: String, _ value: ValuePattern, id: FieldName) -> RouteTable.Test {
        var test = RouteTable.Test(kind: .present, id: id, name: text(name), value: .empty)
        switch value {
        case .exact(let value):
            test.kind = .exact
            test.value = text(value)
        case .prefix(let value):
            test.kind = .prefix
            test.value = text(value)
        case .expression(let expression):
            test.kind = .expression
            test.value = ByteRange(offset: UInt32(index(of: expression)), size: 0)
        case .present: test.kind = .present
        case .absent: test.kind = .absent
        }
        return test
    }

    private mutating func index(of expression: RegularExpression) -> Int {
        if let index = expressionIndices[expression] { return index }
        expressions.append(expression)
        expressionIndices[expression] = expressions.count - 1
        return expressions.count - 1
    }

    private mutating func text(_ text: String) -> ByteRange {
        let start = texts.count
        texts.append(contentsOf: text.utf8)
        return ByteRange(start..<texts.count)
    }

    private static func items(_ range: Range<Int>) -> RouteTable.Items {
        RouteTable.Items(start: UInt32(range.lowerBound), end: UInt32(range.upperBound))
    }

    // MARK: Limits

    /// What templates can make one look-up do. At each node a path takes at most one of the literal segments below, and the
    /// placeholder: so the most nodes it meets are one, and the most below one of the literals, and the most below the
    /// placeholder.
    func checkVisits(limit: Int) throws(OptionSyntaxError) {
        var belowLiteral = [Int](repeating: 0, count: nodes.count)
        var belowPlaceholder = belowLiteral
        var visits = belowLiteral
        for index in nodes.indices.reversed() {
            visits[index] = 1 + belowLiteral[index] + belowPlaceholder[index]
            let node = nodes[index]
            guard node.parent >= 0 else { continue }
            if node.isPlaceholder {
                belowPlaceholder[node.parent] = visits[index]
            } else {
                belowLiteral[node.parent] = max(belowLiteral[node.parent], visits[index])
            }
        }
        for host in hosts where visits[host.root] > limit {
            let name =
                switch host.pattern?.kind {
                case .exact(let name): quoted(name)
                case .below(let name): quoted("*." + name)
                case .expression(let expression): quoted("~" + expression.text)
                case nil: "any host"
                }
            throw OptionSyntaxError(
                "the path templates of \(name) overlap so much that one path may have to be compared with"
                    + " \(visits[host.root]) parts of them, of at most \(limit): write fewer templates that have a literal"
                    + " segment where others have a placeholder")
        }
    }

    // MARK: Compiling

    struct Paths {
        var hosts: [RouteTable.Host] = []
        var nodes: [RouteTable.Node] = []
        var labels: [LabelTable.Label] = []
        var texts: [UInt8] = []
        var segmentLimit = 0
        var expressions: [RouteTable.Expression] = []
        var links: [RouteTable.Link] = []
    }

    func compiledPaths() -> Paths {
        var paths = Paths()
        var starts: [UInt32] = []
        for chain in chains {
            starts.append(UInt32(paths.links.count))
            paths.links.append(contentsOf: chain.links)
            // A chain is made for a rule, and the first rule is never shadowed.
            paths.links[paths.links.count - 1].isLast = true
        }
        func start(_ chain: Int?) -> UInt32 { chain.map { starts[$0] } ?? RouteTable.none }

        for node in nodes {
            var compiled = RouteTable.Node()
            compiled.ends = start(node.ends)
            compiled.prefixes = start(node.prefixes)
            compiled.rests = start(node.rests)
            compiled.placeholder = node.placeholder.map { UInt32($0) } ?? RouteTable.none
            if node.parent >= 0 {
                let above = paths.nodes[node.parent]
                compiled.prefixAbove =
                    above.prefixes == RouteTable.none ? above.prefixAbove : UInt32(node.parent)
            }
            paths.nodes.append(compiled)
            // What takes the rest begins with one more segment.
            paths.segmentLimit = max(paths.segmentLimit, node.rests == nil ? node.depth : node.depth + 1)
        }
        for edge in edges {
            let start = paths.texts.count
            paths.texts.append(contentsOf: edge.text.utf8)
            paths.labels.append(
                LabelTable.Label(
                    parent: UInt32(edge.parent), text: ByteRange(start..<paths.texts.count),
                    value: UInt32(edge.child)))
        }
        for host in hosts {
            let first = paths.expressions.count
            for expression in host.expressions {
                let start = starts[Int(expression.target)]
                paths.expressions.append(RouteTable.Expression(code: expression.code, target: start))
            }
            paths.hosts.append(
                RouteTable.Host(
                    root: UInt32(host.root), expressions: Self.items(first..<paths.expressions.count),
                    anyPath: start(host.anyPath)))
        }
        return paths
    }

    struct Names {
        var exact: [LabelTable.Label] = []
        var wildcards: [LabelTable.Label] = []
        var wildcardLabels = 0
        var hasIPv6 = false
        var texts: [UInt8] = []
        var expressions: [RouteTable.Expression] = []
        var any = RouteTable.none
    }

    mutating func compiledHosts() -> Names {
        var names = Names()
        for (index, host) in hosts.enumerated() {
            let start = names.texts.count
            switch host.pattern?.kind {
            case .exact(let name):
                names.texts.append(contentsOf: name.utf8)
                names.exact.append(
                    LabelTable.Label(
                        parent: 0, text: ByteRange(start..<names.texts.count), value: UInt32(index)))
                if name.contains(":") { names.hasIPv6 = true }
            case .below(let name):
                names.texts.append(contentsOf: name.utf8)
                names.wildcards.append(
                    LabelTable.Label(
                        parent: 0, text: ByteRange(start..<names.texts.count), value: UInt32(index)))
                let labels = name.split(separator: ".").count
                names.wildcardLabels = max(names.wildcardLabels, labels)
            case .expression(let expression):
                let code = expressions[self.index(of: expression)].code
                names.expressions.append(RouteTable.Expression(code: code, target: UInt32(index)))
            case nil:
                names.any = UInt32(index)
            }
        }
        return names
    }
}
