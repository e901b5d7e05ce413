/// A set of addresses, made of blocks: whom a listener believes, whom it lets in.
///
/// A look-up is one binary search; it allocates nothing and counts no references.
struct AddressSet: ~Copyable, Sendable {
    private let blocks: FixedArray<AddressBlock>

    init(_ prefixes: [AddressPrefix]) { blocks = FixedArray(AddressBlock.merged(prefixes)) }

    var isEmpty: Bool { blocks.count == 0 }

    func contains(_ address: IPAddress) -> Bool { blocks.contains(address, in: 0..<blocks.count) }
}
