/// Addresses under a name, for lists of who is let in and for the sources of routes.
public struct AddressSetConfiguration: Sendable, Equatable {
    public var name: String
    /// Each an address, a CIDR block, `unix:`, or `file:PATH`: a file with one of them a line.
    public var items: [String]

    public init(name: String, items: [String] = []) {
        self.name = name
        self.items = items
    }
}
