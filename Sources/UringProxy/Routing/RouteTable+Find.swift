/// The search, from the most specific host and path to the least.
extension RouteTable {
    /// The rule that takes the request; nil if none does.
    ///
    /// - Parameters:
    ///   - fields: of the head that `request` was made from.
    ///   - scratch: of this worker. Its `isUndecided` tells whether a regular expression was given up: then the result means
    ///     nothing.
    func find(
        _ request: RouteRequest, fields: borrowing FieldTable, scratch: inout RouteScratch
    ) -> RouteMatch? {
        scratch.split(request.path, limit: segmentLimit, seed: seed)
        let rule = rule(for: request, fields, &scratch)
        guard rule != Self.none else { return nil }
        return RouteMatch(rule: Int(rule), captures: scratch.captures, captureCount: scratch.captureCount)
    }

    // MARK: Hosts

    @inline(__always)
    private func rule(
        for request: RouteRequest, _ fields: borrowing FieldTable, _ scratch: inout RouteScratch
    ) -> UInt32 {
        var name = request.host
        if name.count > 1, name[name.count &- 1] == UInt8(ascii: ".") { name = name[0..<name.count &- 1] }

        if !name.isEmpty {
            let host = exactHost(name)
            if host != Self.none {
                let rule = rule(of: host, for: request, fields, &scratch)
                if rule != Self.none { return rule }
            }
            if wildcardLabels > 0 {
                let rule = rule(ofWildcardsOf: name, for: request, fields, &scratch)
                if rule != Self.none { return rule }
            }
            for index in 0..<hostExpressions.count
            where scratch.matches(hostExpressions[index].code, name) {
                let rule = rule(of: hostExpressions[index].target, for: request, fields, &scratch)
                if rule != Self.none { return rule }
            }
        }
        return anyHost == Self.none ? Self.none : rule(of: anyHost, for: request, fields, &scratch)
    }

    @inline(__always)
    private func exactHost(_ name: ByteView) -> UInt32 {
        let hash = ByteHash.hash(name, seed: seed, foldingCase: true)
        let host = exactHosts.find(name, below: 0, hash: hash, ignoringCase: true)
        return host == Self.none && hasIPv6Hosts ? addressHost(name) : host
    }

    /// An address that is not spelt as the table has it (RFC 5952).
    @inline(never)
    private func addressHost(_ name: ByteView) -> UInt32 {
        guard let address = IPAddress(text: name) else { return Self.none }
        let capacity = IPAddress.maximumTextSize
        return unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: capacity) { buffer in
            let size = unsafe address.write(into: buffer.baseAddress!, capacity: capacity)
            let text = unsafe ByteView(base: buffer.baseAddress, count: size)
            let hash = ByteHash.hash(text, seed: seed, foldingCase: true)
            return exactHosts.find(text, below: 0, hash: hash, ignoringCase: true)
        }
    }

    /// What stands behind the dots of the name, the longest first, as far as there are wildcards so long.
    private func rule(
        ofWildcardsOf name: ByteView, for request: RouteRequest, _ fields: borrowing FieldTable,
        _ scratch: inout RouteScratch
    ) -> UInt32 {
        var start = name.count
        var labels = 0
        while start > 0 {
            if name[start &- 1] == UInt8(ascii: ".") {
                labels &+= 1
                if labels == wildcardLabels { break }
            }
            start &-= 1
        }
        while start < name.count {
            // Something must stand before the dot.
            if start > 1 {
                let suffix = name.dropFirst(start)
                let hash = ByteHash.hash(suffix, seed: seed, foldingCase: true)
                let host = wildcards.find(suffix, below: 0, hash: hash, ignoringCase: true)
                if host != Self.none {
                    let rule = rule(of: host, for: request, fields, &scratch)
                    if rule != Self.none { return rule }
                }
            }
            while start < name.count, name[start] != UInt8(ascii: ".") { start &+= 1 }
            start &+= 1
        }
        return Self.none
    }

    // MARK: Paths

    private func rule(
        of index: UInt32, for request: RouteRequest, _ fields: borrowing FieldTable,
        _ scratch: inout RouteScratch
    ) -> UInt32 {
        let host = hosts[Int(index)]
        if scratch.hasPath {
            switch walk(from: host.root, for: request, fields, &scratch) {
            case .found(let rule): return rule
            case .deepest(let node):
                scratch.removeCaptures()
                let rule = rule(ofPrefixesFrom: node, for: request, fields, &scratch)
                if rule != Self.none { return rule }
            }
            for place in host.expressions.start..<host.expressions.end
            where scratch.matches(pathExpressions[Int(place)].code, request.path) {
                scratch.captureGroups()
                let rule = first(of: pathExpressions[Int(place)].target, for: request, fields, &scratch)
                if rule != Self.none { return rule }
            }
        }
        scratch.removeCaptures()
        return host.anyPath == Self.none ? Self.none : first(of: host.anyPath, for: request, fields, &scratch)
    }

    private enum Walk: BitwiseCopyable {
        case found(rule: UInt32)
        /// No exact path and no template; the last node that literal segments alone lead to.
        case deepest(node: UInt32)
    }

    /// Exact paths and templates: down by literal segments as far as they lead, then back to the last node that has a
    /// placeholder. So what is literal comes first at every segment from the left, and an exact path before any template.
    private func walk(
        from root: UInt32, for request: RouteRequest, _ fields: borrowing FieldTable,
        _ scratch: inout RouteScratch
    ) -> Walk {
        let count = scratch.segmentCount
        var node = root
        var depth = 0
        var placeholders: UInt64 = 0
        var deepest = Self.none
        scratch.removeFrames()
        while true {
            while true {
                let place = nodes[Int(node)]
                if place.placeholder != Self.none || place.rests != Self.none {
                    scratch.push(
                        RouteScratch.Frame(
                            node: node, depth: Int32(truncatingIfNeeded: depth), placeholders: placeholders))
                }
                if depth == count {
                    guard !scratch.hasMore, place.ends != Self.none else { break }
                    let rule = first(of: place.ends, for: request, fields, &scratch)
                    guard rule == Self.none else {
                        scratch.capture(placeholders: placeholders)
                        return .found(rule: rule)
                    }
                    break
                }
                let segment = scratch.segment(depth)
                let next = labels.find(
                    request.path[segment.range], below: node, hash: segment.hash, ignoringCase: false)
                guard next != Self.none else { break }
                node = next
                depth &+= 1
            }
            if deepest == Self.none { deepest = node }
            switch otherWay(for: request, fields, &scratch) {
            case .exhausted: return .deepest(node: deepest)
            case .found(let rule): return .found(rule: rule)
            case .below(let frame):
                node = nodes[Int(frame.node)].placeholder
                depth = Int(frame.depth) &+ 1
                placeholders = frame.placeholders | 1 << UInt64(frame.depth)
            }
        }
    }

    private enum OtherWay: BitwiseCopyable {
        case exhausted
        case below(placeholderOf: RouteScratch.Frame)
        case found(rule: UInt32)
    }

    /// Back to the deepest node from which something was not tried yet.
    @inline(__always)
    private func otherWay(
        for request: RouteRequest, _ fields: borrowing FieldTable, _ scratch: inout RouteScratch
    ) -> OtherWay {
        while scratch.frameCount > 0 {
            let frame = scratch.visitLastFrame()
            let place = nodes[Int(frame.node)]
            let hasSegment = Int(frame.depth) < scratch.segmentCount
            if !frame.triedPlaceholder, place.placeholder != Self.none, hasSegment,
                !scratch.segment(Int(frame.depth)).range.isEmpty
            {
                return .below(placeholderOf: frame)
            }
            scratch.popFrame()
            if place.rests != Self.none, hasSegment {
                let rule = first(of: place.rests, for: request, fields, &scratch)
                if rule != Self.none {
                    let start = Int(scratch.segment(Int(frame.depth)).range.offset)
                    scratch.capture(
                        placeholders: frame.placeholders, rest: ByteRange(start..<request.path.count))
                    return .found(rule: rule)
                }
            }
        }
        return .exhausted
    }

    @inline(__always)
    private func rule(
        ofPrefixesFrom deepest: UInt32, for request: RouteRequest, _ fields: borrowing FieldTable,
        _ scratch: inout RouteScratch
    ) -> UInt32 {
        var node = deepest
        while node != Self.none {
            let place = nodes[Int(node)]
            if place.prefixes != Self.none {
                let rule = first(of: place.prefixes, for: request, fields, &scratch)
                if rule != Self.none { return rule }
            }
            node = place.prefixAbove
        }
        return Self.none
    }
}
