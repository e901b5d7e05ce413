extension FixedUpstream {
    /// `HOST:PORT` with a name to resolve or an address, or `unix:PATH`, and `,weight=N`, `,zone=NAME` and `,priority=N` after it.
    init(parsing text: String) throws(StartError) {
        let upstream: UpstreamText
        do throws(OptionSyntaxError) { upstream = try UpstreamText(parsing: text) } catch {
            throw StartError(message: "--upstream \(error.message)")
        }
        let address = upstream.address
        weight = upstream.weight
        zone = upstream.zone
        priority = upstream.priority
        self.address = try? SocketAddress(parsing: address)
        if let known = self.address {
            name = known.isUnix ? "localhost" : address
            port = known.port
            return
        }
        // In brackets stands an address, never a name.
        if address.hasPrefix("[") {
            throw StartError(
                message: "endpoint \(address): this is no IPv6 address with a port and a zone of this machine"
            )
        }
        guard let colon = address.lastIndex(of: ":"),
            let port = SocketAddress.port(address[address.index(after: colon)...]), port > 0
        else { throw StartError(message: "--upstream \(address): give HOST:PORT or unix:PATH") }
        name = String(address[..<colon])
        self.port = port
    }
}
