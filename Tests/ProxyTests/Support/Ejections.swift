@testable import UringProxy

extension ClusterConfiguration {
    /// One failure takes an endpoint out, and not for long.
    mutating func ejectAtOnce() {
        outliers.consecutive = 1
        outliers.ejection = .milliseconds(50)
        outliers.longestEjection = .milliseconds(50)
    }
}
