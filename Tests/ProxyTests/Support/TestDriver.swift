import Testing

@testable import UringProxy

/// A driver that the whole proxy is tested over.
enum TestDriver: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case uring, epoll

    /// Both, unless this kernel refuses io_uring; then the reason is printed, once.
    static let offered: [TestDriver] = {
        #if Uring
            guard let failure = RingProbe.failure() else { return allCases }
            print("tests over io_uring are left out: \(failure.message)")
        #else
            print("tests over io_uring are left out: this build has no io_uring")
        #endif
        return [.epoll]
    }()

    var choice: Configuration.IOChoice { self == .uring ? .uring : .epoll }
    var testDescription: String { rawValue }
}
