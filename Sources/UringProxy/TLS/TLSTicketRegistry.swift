internal import CPosix
internal import Synchronization

/// The keys of session tickets that there are, by where they come from: what makes them outlive a reload.
final class TLSTicketRegistry: Sendable {
    private let all = Mutex<[TLSTicketKeys.Source: TLSTicketKeys]>([:])

    /// Those that there are, or new ones. At start and reload alone: it locks.
    func keys(of source: TLSTicketKeys.Source) -> TLSTicketKeys {
        all.withLock { all in
            if let known = all[source] { return known }
            let made: TLSTicketKeys
            switch source {
            case .own(let period): made = TLSTicketKeys(period: period, now: cposix_monotonic_nanoseconds())
            case .files: made = TLSTicketKeys()
            }
            all[source] = made
            return made
        }
    }

    /// Forgets what no listener of a configuration has.
    func keep(_ configuration: Configuration) {
        let kept = Set(configuration.listeners.compactMap { $0.tls.flatMap { TLSTicketKeys.Source($0) } })
        all.withLock { all in all = all.filter { kept.contains($0.key) } }
    }
}
