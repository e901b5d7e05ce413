/// Which destinations the forward proxy may reach: the guard against being used as a way into the network it
/// stands in (server-side request forgery).
///
/// Asked twice: before a name is resolved, so that what is refused anyway causes no DNS query (which would
/// carry data out), and again on the very address the connect goes to. The second answer is the one that
/// counts: what a name resolves to is in the hands of whoever owns the name, and may differ from one query to
/// the next (DNS rebinding). The caller must connect to the address it asked about and resolve nothing again.
/// Through a parent proxy only the name can be asked about (`verdict(onlyName:port:)`).
///
/// The decision, in this order:
///
/// 1. A host that is neither an address in standard form nor a name (`2130706433`, `0177.0.0.1`, `127.1`,
///    `0x7f.1`, bytes that no name has) is refused: resolvers disagree about what it means.
/// 2. A deny rule that covers the name, the address or the port refuses. Nothing overrides it. An IPv6
///    address that carries an IPv4 address (NAT64, 6to4, Teredo, IPv4-compatible) is refused if that one is.
/// 3. Without allow rules everything else is open but the default list: addresses that are private, of this
///    host, of its link (metadata services), or otherwise not of the internet (`SpecialAddress`).
/// 4. With allow rules, of whatever kind, only what one of them covers is open: `--allow-destinations
///    '*,10.0.0.0/8'` is the internet and a private block, `10.0.0.0/8` alone is that block and nothing else.
///    - A rule for addresses opens exactly these, those of the default list too, under whatever name they are
///      asked for. If an opened address carries an IPv4 address, that one must be opened by a rule as well,
///      or not be on the default list.
///    - A rule for names, for ports, or `*` opens what it covers *except* the default list: to allow
///      `intranet.example.org`, which resolves to 10.1.2.3, takes the rule for the name or its address and a
///      rule for the address. For the owner of a name chooses its address; a name alone never opens one.
///
/// Rules for names see the name that was asked for, not the aliases it leads to, and a destination given as
/// an address has no name: to close a place for certain, deny its addresses.
///
/// Immutable; `verdict` allocates nothing.
struct DestinationPolicy: Sendable {
    typealias Verdict = DestinationVerdict

    private let allow: DestinationRules
    private let deny: DestinationRules
    private let isAllowlist: Bool
    /// What it was made of.
    private let texts: [[String]]

    /// The default list alone.
    init() {
        do { try self.init(allow: [], deny: []) } catch { preconditionFailure("no rules, no error") }
    }

    /// - Parameters: each element is a list of rules separated by commas (see `DestinationRule`).
    init(allow: [String], deny: [String]) throws(DestinationRuleError) {
        self.allow = try DestinationRules(allow)
        self.deny = try DestinationRules(deny)
        isAllowlist = !self.allow.isEmpty
        texts = [allow, deny]
    }

    /// Whether both were made of the same rules, and so judge alike.
    func isSame(as other: DestinationPolicy) -> Bool { texts == other.texts }

    /// Before resolution. `.allowed` means: go on, and ask again about each address.
    ///
    /// - Parameter name: the host as the request gave it, a name or an address, in brackets or without.
    func verdict(name: ByteView?, port: UInt16) -> Verdict {
        verdict(name: name, port: port, addressIsJudged: true)
    }

    /// Where somebody else resolves the name, such as a parent proxy: nobody asks again about the address, so a rule for
    /// addresses opens no name.
    ///
    /// - Parameter name: the host as the request gave it, a name or an address, in brackets or without.
    func verdict(onlyName name: ByteView, port: UInt16) -> Verdict {
        verdict(name: name, port: port, addressIsJudged: false)
    }

    private func verdict(name: ByteView?, port: UInt16, addressIsJudged: Bool) -> Verdict {
        guard let text = name else { return .allowed }
        if let address = HostName.literal(text) { return verdict(name: nil, address: address, port: port) }
        guard let name = HostName.normalised(text) else { return .denied(.badHost) }
        if deny.coversAnyHost(port: port) || deny.cover(name: name, port: port) {
            return .denied(.deniedByRule)
        }
        if isAllowlist && !allow.coversAnyHost(port: port) && !allow.cover(name: name, port: port)
            && !(addressIsJudged && allow.mayCoverAddress(port: port))
        {
            return .denied(.notAllowedByRule)
        }
        // Their addresses are on the default list; unless a rule opens these, the query can be spared.
        if HostName.isLocalhost(name) {
            let isOpen = allow.cover(.loopback4, port: port) || allow.cover(.loopback6, port: port)
            if !isOpen { return .denied(.localName) }
        }
        if DestinationPolicy.isMetadataName(name)
            && !(addressIsJudged && allow.mayCoverAddress(port: port))
        {
            return .denied(.localName)
        }
        return .allowed
    }

    /// On the address that will be connected to.
    ///
    /// - Parameter name: the host as the request gave it; nil, or an address, if it gave no name.
    func verdict(name: ByteView?, address: IPAddress, port: UInt16) -> Verdict {
        var isAllowed = !isAllowlist || allow.coversAnyHost(port: port)
        if deny.coversAnyHost(port: port) { return .denied(.deniedByRule) }
        if let text = name, HostName.literal(text) == nil {
            guard let name = HostName.normalised(text) else { return .denied(.badHost) }
            if deny.cover(name: name, port: port) { return .denied(.deniedByRule) }
            isAllowed = isAllowed || allow.cover(name: name, port: port)
        }
        if deny.cover(address, port: port) { return .denied(.deniedByRule) }
        let isOpened = allow.cover(address, port: port)
        guard isAllowed || isOpened else { return .denied(.notAllowedByRule) }
        if !isOpened, let denial = SpecialAddress.denial(address) { return .denied(denial) }
        return embeddedVerdict(SpecialAddress.embedded(in: address), port: port)
    }

    /// On what an address carries inside, once the address itself is allowed.
    private func embeddedVerdict(_ embedded: SpecialAddress.Embedded, port: UInt16) -> Verdict {
        if embedded.isAmbiguous { return .denied(.ambiguousTranslation) }
        if let first = embedded.first, isClosed(embedded: first, port: port) { return .denied(.embedsDenied) }
        if let second = embedded.second, isClosed(embedded: second, port: port) {
            return .denied(.embedsDenied)
        }
        return .allowed
    }

    private func isClosed(embedded address: IPAddress, port: UInt16) -> Bool {
        if deny.cover(address, port: port) { return true }
        return !allow.cover(address, port: port) && SpecialAddress.denial(address) != nil
    }

    /// Names under which clouds offer the credentials of the host.
    private static func isMetadataName(_ name: ByteView) -> Bool {
        switch name.count {
        case 8: name.equalsIgnoringCase("metadata")
        case 13: name.equalsIgnoringCase("instance-data")
        case 24: name.equalsIgnoringCase("metadata.google.internal")
        case 26: name.equalsIgnoringCase("instance-data.ec2.internal")
        default: false
        }
    }
}
