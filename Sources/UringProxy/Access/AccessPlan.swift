/// What a listener or a route asks of a request before it lets it in. Immutable, and shared by all workers.
///
/// Listeners and routes have the index of their plan in the list of all of them, or -1.
final class AccessPlan: Sendable {
    /// nil: everybody is let in.
    let addresses: AddressRules?

    init(addresses: AddressRules?) { self.addresses = addresses }
}
