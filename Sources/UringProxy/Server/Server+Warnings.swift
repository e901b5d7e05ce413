// What works, and is dangerous: the operator is told.
extension Server {
    /// - Parameter old: what was told of before; nil: nothing.
    func warn(of new: Configuration, after old: Configuration?) {
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
}
