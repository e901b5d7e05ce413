/// Rules with the same host and path: the first whose other conditions hold.
extension RouteTable {
    @inline(__always)
    func first(
        of chain: UInt32, for request: RouteRequest, _ fields: borrowing FieldTable,
        _ scratch: inout RouteScratch
    ) -> UInt32 {
        var place = Int(chain)
        while true {
            let link = links[place]
            if link.conditions == Self.none
                || hold(conditions[Int(link.conditions)], for: request, fields, &scratch)
            {
                return link.rule
            }
            if link.isLast { return Self.none }
            place &+= 1
        }
    }

    /// The cheap ones first.
    private func hold(
        _ conditions: Conditions, for request: RouteRequest, _ fields: borrowing FieldTable,
        _ scratch: inout RouteScratch
    ) -> Bool {
        guard covers(conditions, request.method, request.methodName), covers(conditions, request.source)
        else {
            return false
        }
        guard conditions.geo == Self.none || geos.holds(Int(conditions.geo), at: request.location) else {
            return false
        }
        if conditions.certificate != .either
            && request.hasCertificate != (conditions.certificate == .shown)
        {
            return false
        }
        for index in conditions.fields.start..<conditions.fields.end
        where !holds(tests[Int(index)], among: fields, of: request.head, &scratch) {
            return false
        }
        for index in conditions.query.start..<conditions.query.end
        where !holds(tests[Int(index)], in: request.query, &scratch) {
            return false
        }
        return true
    }

    private func covers(_ conditions: Conditions, _ method: Method, _ name: ByteView) -> Bool {
        guard conditions.methods != 0 else { return true }
        guard conditions.methods >> UInt32(method.rawValue) & 1 == 1 else { return false }
        guard method == .other else { return true }
        for index in conditions.methodNames.start..<conditions.methodNames.end
        where texts.view[methodNames[Int(index)]].equals(name) {
            return true
        }
        return false
    }

    private func covers(_ conditions: Conditions, _ source: IPAddress) -> Bool {
        let range = Int(conditions.sources.start)..<Int(conditions.sources.end)
        return range.isEmpty || sources.contains(source, in: range)
    }

    private func holds(
        _ test: Test, among fields: borrowing FieldTable, of head: ByteView, _ scratch: inout RouteScratch
    ) -> Bool {
        let name = texts.view[test.name]
        for index in 0..<fields.count where fields[index].id == test.id {
            // A known name is told by its id.
            guard test.id != .other || head[fields[index].name].equalsIgnoringCase(name) else { continue }
            let value = head[fields[index].value]
            switch test.kind {
            case .absent: return false
            case .present: return true
            case .exact: if value.equals(texts.view[test.value]) { return true }
            case .prefix: if value.hasPrefix(texts.view[test.value]) { return true }
            case .expression:
                if scratch.matches(expressionCodes[Int(test.value.offset)], value) { return true }
            }
        }
        return test.kind == .absent
    }

    private func holds(_ test: Test, in query: ByteView, _ scratch: inout RouteScratch) -> Bool {
        let name = texts.view[test.name]
        var parameter = QueryCursor(query)
        while parameter.advance() {
            guard parameter.name.equals(name) else { continue }
            switch test.kind {
            case .absent: return false
            case .present: return true
            case .exact: if parameter.value.equals(texts.view[test.value]) { return true }
            case .prefix: if parameter.value.hasPrefix(texts.view[test.value]) { return true }
            case .expression:
                let value = scratch.decoded(parameter.value)
                if scratch.matches(expressionCodes[Int(test.value.offset)], value) { return true }
            }
        }
        return test.kind == .absent
    }
}
