import CPosix
import TestSupport
import Testing

@testable import UringProxy

/// So many clients at once, each on a thread of its own.
final class Clients {
    private let failures: Locked<[String]>
    private let threads: [SystemThread]

    init(_ count: Int, _ body: @escaping @Sendable () throws -> Void) {
        let failures = Locked<[String]>([])
        self.failures = failures
        threads = (0..<count).map { _ in
            spawn { do { try body() } catch { failures.withLock { $0.append("\(error)") } } }
        }
    }

    /// Waits for all of them; none has failed.
    func join(sourceLocation: SourceLocation = #_sourceLocation) {
        for thread in threads { thread.join() }
        #expect(failures.withLock { $0 } == [], sourceLocation: sourceLocation)
    }
}

extension TestSocket {
    /// Sends on a thread of its own; what fails shows where it is missing.
    func sendAside(_ bytes: [UInt8]) -> SystemThread {
        spawn { [descriptor] in try? TestSocket(descriptor: cposix_duplicate(descriptor)).send(bytes) }
    }
}
