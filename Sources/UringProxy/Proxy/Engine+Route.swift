// Routes: which cluster a request goes to, or what it is answered without one.
extension Engine where D: ~Copyable {
    /// The cluster of the route that takes the request in `requestHead`; nil if it has been answered instead.
    ///
    /// - Parameters:
    ///   - set: of the listener's routes.
    ///   - isResumed: limits have counted it before.
    ///   - grant: whom it is from, if that was asked.
    ///   - mirror: where a copy of it goes, if it does.
    mutating func route(
        _ index: UInt32, _ slot: UInt32, _ bytes: ByteView, set: Int, isResumed: Bool, _ grant: inout Grant,
        _ mirror: inout MirrorChoice
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
        if geoSource != nil && routeSets[set].asksLocation {
            request.location = geo.locate(source)
        }
        let asksCertificate = routeSets[set].asksCertificate
        if asksCertificate { request.hasCertificate = tls[carrier(of: slot)].session.hasPeerCertificate }
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
        if keepsNotes { noteRoute(index, set: set, rule: match.rule) }
        let access = routeSets[set].access(of: match.rule)
        if access >= 0 {
            if !letsIn(index, slot, bytes, plan: Int(access), isResumed: isResumed) { return nil }
            let authenticator = accessPlans[Int(access)].authenticator
            guard identify(index, slot, bytes, authenticator, &grant) else { return nil }
        } else if listeners[connections[slot].listener].access >= 0 {
            guard identify(index, slot, bytes, AccessPlan.inherited, &grant) else { return nil }
        }
        if let policy = routeSets[set].policy(of: match.rule) { adopt(policy, index) }
        var cluster = routeSets[set].cluster(of: match.rule)
        var template = TemplateSource(request: request, match: match)
        if asksCertificate { template.session = tls[carrier(of: slot)].session }
        if cluster < 0, let split = routeSets[set].split(of: match.rule) {
            let share = share(split, request, set: set)
            cluster = share.cluster
            template.cluster = share.name
        }
        if routeSets[set].changesAnything(match.rule) {
            guard writeChanges(index, template, set: set) else { return nil }
        }
        if case .length(let size) = requestHead.framing, size > bodyLimit(of: index) {
            fail(index, .bodyTooLarge)
            return nil
        }
        if cluster >= 0 {
            if let plan = routeSets[set].mirror(of: match.rule) {
                chooseMirror(plan, index, slot, bytes, &mirror)
            }
            return cluster
        }
        reply(index, request, match, set: set)
        return nil
    }

    /// Which of its clusters a split gives the request to.
    private mutating func share(_ split: Int, _ request: RouteRequest, set: Int) -> RouteSet.Share {
        let key = routeSets[set].key(ofSplit: split)
        let hash = KeyHash.hash(key, in: requestHead, fields, request.head, source: request.source)
        if hash == 0, clusters.usesCookies, let share = stickyShare(split, request.head, set: set) {
            return share
        }
        let point = hash == 0 ? UInt32(truncatingIfNeeded: random.next() >> 32) : KeyHash.splitPoint(hash)
        return routeSets[set].share(ofSplit: split, at: point)
    }

    /// The exchange takes timeouts and limits of its route with it.
    private mutating func adopt(_ policy: RoutePolicy, _ index: UInt32) {
        policies[index] = policy
        exchanges[index].hasPolicy = true
        exchanges[index].totalDeadline =
            policy.total == .max ? .max : exchanges[index].startedAt + policy.total
    }

    /// Most bytes of the exchange's request body.
    @inline(__always)
    func bodyLimit(of index: UInt32) -> UInt64 {
        exchanges[index].hasPolicy ? policies[index].bodyLimit : settings.bodyLimit
    }

    private mutating func reply(_ index: UInt32, _ request: RouteRequest, _ match: RouteMatch, set: Int) {
        switch routeSets[set].reply(of: match.rule) {
        case .fixed(let reply): answer(index, reply)
        case .redirect(let status, let target, let needsHost):
            // Only where an HTTP/1.0 client sent no Host.
            if needsHost && request.host.isEmpty {
                fail(index, .hostMissing)
                return
            }
            guard let place = written(target, for: TemplateSource(request: request, match: match), set: set)
            else {
                fail(index, .rewrittenTooLong)
                return
            }
            answer(index, status: status, redirectingTo: place)
        }
    }
}
