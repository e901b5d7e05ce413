// What works, and is dangerous: the operator is told.
extension Server {
    /// - Parameter old: what was told of before; nil: nothing.
    func warn(of new: Configuration, after old: Configuration?) {
        if old == nil, let admin = new.adminAddress, new.adminTokenFile == nil, Self.isOpen(admin) {
            log.write(
                "the admin listener on \(admin) does what anybody asks who reaches it; set admin.token_file, or listen on loopback or a unix socket"
            )
        }
        let known = old.map(Self.unverified) ?? []
        for name in Self.unverified(new) where !known.contains(name) {
            log.write(
                "cluster \(name): certificates of its endpoints are not verified, anybody on the way may answer"
            )
        }
    }

    /// Clusters that take anybody for their endpoints.
    private static func unverified(_ configuration: Configuration) -> [String] {
        configuration.allClusters.filter { $0.tls?.verifies == false }.map(\.name)
    }

    /// Whether others than this machine's users may reach an address.
    private static func isOpen(_ text: String) -> Bool {
        guard let address = try? SocketAddress(parsing: text), !address.isUnix else { return false }
        return !(address.address?.isLoopback ?? false)
    }
}
