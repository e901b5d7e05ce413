// Who asks, by what they know: Basic and Bearer (RFC 7617, RFC 6750), for an origin and for a proxy (RFC 9110 §11).
extension Engine where D: ~Copyable {
    /// Whom a request was found to be from.
    struct Grant: BitwiseCopyable {
        /// By their indices; -1 where nobody was asked.
        var authenticator: Int32 = -1
        var user: Int32 = -1
    }

    /// Whom the request is from whose head has just been parsed out of `bytes`; nil if it has been answered, or waits until its
    /// credentials have been checked.
    ///
    /// - Parameter number: of the authenticator.
    mutating func authenticate(
        _ index: UInt32, _ slot: UInt32, _ bytes: ByteView, by number: Int, isForward: Bool
    ) -> Grant? {
        let authenticator = authenticators[number]
        let field = isForward ? FieldName.proxyAuthorization : .authorization
        guard let line = onlyLine(of: field) else {
            challenge(index, authenticator, isForward)
            return nil
        }
        let value = bytes[fields[line].value]
        var user: Int32 = -1
        if let token = Self.credentials(value, of: "Bearer ") {
            user = authenticator.user(ofToken: token)
        } else if let credentials = Self.credentials(value, of: "Basic "), authenticator.hasUsers,
            credentials.count <= CredentialQuery.sizeLimit
        {
            let digest = Digest(of: credentials, under: authenticator.identity)
            guard let known = knownCredentials.find(digest, now: driver.now) else {
                ask(index, authenticator, credentials, digest)
                return nil
            }
            user = known
        }
        guard user >= 0 else {
            challenge(index, authenticator, isForward)
            return nil
        }
        // What is dropped is dropped as what ends at this hop.
        if !authenticator.passesCredentials { fields[line].isHopByHop = true }
        return Grant(authenticator: Int32(truncatingIfNeeded: number), user: user)
    }

    /// Finds out whom a request is from, if the listener or the route wants to know; false if it has been answered, or waits.
    ///
    /// - Parameter ofRoute: the authenticator of the route's plan.
    @inline(never)
    mutating func identify(
        _ index: UInt32, _ slot: UInt32, _ bytes: ByteView, _ ofRoute: Int32, _ grant: inout Grant
    ) -> Bool {
        let listener = listeners[connections[slot].listener]
        var number = ofRoute
        if number == AccessPlan.inherited && listener.access >= 0 {
            number = accessPlans[Int(listener.access)].authenticator
        }
        guard number >= 0 else { return true }
        guard
            let found = authenticate(
                index, slot, bytes, by: Int(number), isForward: listener.role == .forward)
        else { return false }
        grant = found
        if keepsNotes { noteUser(index, found) }
        return true
    }

    /// The one line of a field; nil if there is none, or there are several, of which anybody may mean another.
    private func onlyLine(of field: FieldName) -> Int? {
        var found: Int?
        for index in 0..<fields.count where fields[index].id == field {
            if found != nil { return nil }
            found = index
        }
        return found
    }

    /// Takes off what downstream says of users in fields that are ours to tell them in, whoever is asked for credentials.
    ///
    /// - Parameter bytes: what `fields` were parsed from, a head or trailers.
    mutating func dropUserFields(_ bytes: ByteView) {
        for index in 0..<authenticators.count where authenticators[index].userField.count > 0 {
            fields.dropLikes(of: authenticators[index].userField.view, from: bytes)
        }
    }

    /// What stands behind a scheme and its spaces; nil if it is another scheme.
    private static func credentials(_ value: ByteView, of scheme: StaticString) -> ByteView? {
        let size = scheme.utf8CodeUnitCount
        guard value.count > size, value[0..<size].equalsIgnoringCase(scheme) else { return nil }
        var start = size
        while start < value.count, value[start] == UInt8(ascii: " ") { start &+= 1 }
        return value.dropFirst(start)
    }

    private mutating func challenge(_ index: UInt32, _ authenticator: Authenticator, _ isForward: Bool) {
        let lines = isForward ? authenticator.proxyChallenge.view : authenticator.challenge.view
        fail(index, isForward ? .proxyUnauthorized : .unauthorized, size: lines.count) { writer in
            writer.append(lines)
        }
    }

    // MARK: - Checks

    /// Leaves the request where it is, in the input, until the checker has answered.
    private mutating func ask(
        _ index: UInt32, _ authenticator: Authenticator, _ credentials: ByteView, _ digest: Digest
    ) {
        // As many as the inbox has places: what answers never waits for this worker.
        let isAsked =
            verdictsDue < CredentialInbox.capacity
            && askChecker { inbox in
                CredentialQuery(
                    credentials, digest: digest, identity: authenticator.identity, inbox: inbox,
                    exchange: index, generation: exchanges.generation(index))
            }
        if isAsked {
            verdictsDue += 1
            counters.add(.credentialChecks)
            exchanges[index].state = .authenticating
        } else {
            fail(index, .authenticationBusy)
        }
    }
}
