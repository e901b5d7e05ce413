/// Who is let in by address.
struct AddressRules: ~Copyable, Sendable {
    /// Everybody is.
    let isEmpty: Bool
    private let hasAllowed: Bool
    private let allowed: AddressSet
    private let denied: AddressSet

    /// - Parameters:
    ///   - allow: nil: everybody; else nobody but these.
    ///   - deny: nil: nobody.
    init(allow: [AddressPrefix]?, deny: [AddressPrefix]?) {
        isEmpty = allow == nil && deny == nil
        hasAllowed = allow != nil
        allowed = AddressSet(allow ?? [])
        denied = AddressSet(deny ?? [])
    }

    /// Whoever is denied is, whatever allows them.
    func admit(_ address: IPAddress) -> Bool {
        !denied.contains(address) && (!hasAllowed || allowed.contains(address))
    }
}
