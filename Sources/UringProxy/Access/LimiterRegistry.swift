internal import Synchronization

/// The rate limiters of a server, by name and parameters: what a reload leaves as it was keeps its buckets.
final class LimiterRegistry: Sendable {
    private let limiters = Mutex<[(configuration: RateLimitConfiguration, limiter: RateLimiter)]>([])

    /// The limiter of a configuration; a new one if there is none. Its mode is no part of it.
    func limiter(_ configuration: RateLimitConfiguration) -> RateLimiter {
        let configuration = Self.withoutMode(configuration)
        return limiters.withLock { limiters in
            if let known = limiters.first(where: { $0.configuration == configuration }) {
                return known.limiter
            }
            var random = SystemRandomNumberGenerator()
            let limiter = RateLimiter(configuration, seed: random.next())
            limiters.append((configuration, limiter))
            return limiter
        }
    }

    /// Forgets those that are none of these; they end when the last plan that has them does.
    func keep(_ configurations: [RateLimitConfiguration]) {
        let kept = configurations.map(Self.withoutMode)
        limiters.withLock { $0.removeAll { !kept.contains($0.configuration) } }
    }

    /// In the order they were made.
    var all: [RateLimiter] { limiters.withLock { $0.map(\.limiter) } }

    private static func withoutMode(_ configuration: RateLimitConfiguration) -> RateLimitConfiguration {
        var configuration = configuration
        configuration.mode = .enforce
        return configuration
    }
}
