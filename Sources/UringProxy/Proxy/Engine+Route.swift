// Routes: which cluster a request goes to, or what it is answered without one.
extension Engine where D: ~Copyable {
    /// The cluster of the route that takes the request in `requestHead`; nil if it has been answered instead.
    ///
    /// - Parameters:
    ///   - set: of the listener's routes.
    ///   - isResumed: limits have counted it before.
    ///   - grant: whom it is from, if that was asked.
    mutating func route(
        _ index: UInt32, _ slot: UInt32, _ bytes: ByteView, set: Int, isResumed: Bool, _ grant: inout Grant
    ) -> Int? {
        let source = clientAddress(slot, bytes)
        var request: RouteRequest
        do throws(PathProblem) {
            request = try RouteRequest(requestHead, bytes: bytes, source: source, scratch: &routeScratch)
        } catch {
            fail(index, .badPath)
            return nil
        }
        // Where there are no databases no route asks for what they know.
        if geoSource != nil && routeSets[set].table.asksLocation {
            request.location = geo.location(of: source)
        }
        let found = routeSets[set].table.find(request, fields: fields, scratch: &routeScratch)
        // Another route might be the wrong one, such as that behind one that refuses.
        if routeScratch.isUndecided {
            fail(index, .routeUndecided)
            return nil
        }
        guard let match = found else {
            fail(index, .noRoute)
            return nil
        }
        let access = routeSets[set].access(of: match.rule)
        if access >= 0 {
            if !isResumed && !letsIn(index, slot, bytes, routePlan: Int(access)) { return nil }
            let authenticator = accessPlans[Int(access)].authenticator
            guard identify(index, slot, bytes, authenticator, &grant) else { return nil }
        } else if listeners[Int(connections[slot].listener)].access >= 0 {
            guard identify(index, slot, bytes, AccessPlan.inherited, &grant) else { return nil }
        }
        let cluster = routeSets[set].cluster(of: match.rule)
        if cluster >= 0 { return cluster }
        reply(index, request, match, routeSets[set].reply(of: match.rule))
        return nil
    }

    private mutating func reply(
        _ index: UInt32, _ request: RouteRequest, _ match: RouteMatch, _ reply: RouteSet.Reply
    ) {
        switch reply {
        case .fixed(let reply): answer(index, reply)
        case .redirect(let status, let target):
            // Only where an HTTP/1.0 client sent no Host.
            if target.needsHost && request.host.isEmpty {
                fail(index, .hostMissing)
            } else {
                answer(index, status: status, redirectingTo: target, request, match)
            }
        }
    }
}
