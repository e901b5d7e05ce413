import Testing

@testable import UringProxy

@Suite("Service manager")
struct ServiceManagerTests {
    private func manager(_ environment: [String: String]) -> ServiceManager {
        ServiceManager(environment: { environment[$0] }, processID: 42)
    }

    @Test("Signs of life are wanted twice in the time that the manager allows, of the process it means")
    func watchdog() {
        #expect(manager([:]).watchdogInterval == nil)
        #expect(manager(["WATCHDOG_USEC": "20000000"]).watchdogInterval == .seconds(10))
        #expect(
            manager(["WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "42"]).watchdogInterval == .seconds(10))
        #expect(manager(["WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "43"]).watchdogInterval == nil)
        for bad in ["", "0", "-1", "soon", "9223372036854775807"] {
            #expect(manager(["WATCHDOG_USEC": bad]).watchdogInterval == nil)
        }
    }

    private func sockets(_ environment: [String: String]) -> [String] {
        InheritedSockets(environment: { environment[$0] }, processID: 42).sockets.map {
            "\($0.name) \($0.descriptor)"
        }
    }

    @Test("Passed sockets begin at descriptor 3, have their names, and are meant for one process")
    func inherited() {
        let base = ["LISTEN_PID": "42", "LISTEN_FDS": "2"]
        #expect(sockets([:]) == [])
        #expect(sockets(base) == ["unknown 3", "unknown 4"])
        #expect(sockets(base.merging(["LISTEN_FDNAMES": "http:admin"]) { $1 }) == ["http 3", "admin 4"])
        #expect(sockets(base.merging(["LISTEN_FDNAMES": "http"]) { $1 }) == ["http 3", "unknown 4"])
        #expect(sockets(base.merging(["LISTEN_PID": "41"]) { $1 }) == [])
        #expect(sockets(base.merging(["LISTEN_FDS": "-1"]) { $1 }) == [])
        #expect(sockets(base.merging(["LISTEN_FDS": "many"]) { $1 }) == [])
    }

    @Test("A name that nobody passed is told")
    func refused() throws {
        let none = InheritedSockets(environment: { _ in nil }, processID: 42)
        #expect {
            try none.listeners(name: "http", count: 1)
        } throws: { error in
            (error as? StartError)?.message
                == "fd:http: the service manager passed no such socket (none was passed); see FileDescriptorName= in the socket unit"
        }
    }
}
