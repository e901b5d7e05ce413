/// Endpoints that answer the same requests.
public struct ClusterConfiguration: Sendable, Equatable {
    public var name: String
    /// `HOST:PORT` or `unix:PATH`, taken in turn.
    public var endpoints: [String]

    public init(name: String, endpoints: [String] = []) {
        self.name = name
        self.endpoints = endpoints
    }
}
