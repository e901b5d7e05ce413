/// Who is let in by address. Immutable, and shared by all workers.
final class AddressRules: Sendable {
    /// nil: everybody.
    private let hasAllowed: Bool
    private let allowed: AddressSet
    private let denied: AddressSet

    /// - Parameter allow: nil: everybody; else nobody but these.
    init(allow: [AddressPrefix]?, deny: [AddressPrefix]) {
        hasAllowed = allow != nil
        allowed = AddressSet(allow ?? [])
        denied = AddressSet(deny)
    }

    /// Whoever is denied is, whatever allows them.
    func admits(_ address: IPAddress) -> Bool {
        !denied.contains(address) && (!hasAllowed || allowed.contains(address))
    }
}
