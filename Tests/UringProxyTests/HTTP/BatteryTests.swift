import Battery
import Testing

@testable import UringProxy

@Suite("Batteries")
struct BatteryTests {
    @Test("Every request of the battery is forwarded or refused as written down")
    func requests() {
        var failures: [String] = []
        for one in RequestBattery.cases {
            let result = HTTPSupport.forward(HTTPSupport.bytes(one.bytes))
            if result != one.expected { failures.append("\(one.name): \(result.debugDescription)") }
        }
        #expect(RequestBattery.cases.count >= 150)
        #expect(failures == [])
    }

    @Test("Every response of the battery is forwarded or refused as written down")
    func responses() {
        var failures: [String] = []
        for one in ResponseBattery.cases {
            let result = HTTPSupport.forward(response: HTTPSupport.bytes(one.bytes))
            if result != one.expected { failures.append("\(one.name): \(result.debugDescription)") }
        }
        #expect(ResponseBattery.cases.count >= 50)
        #expect(failures == [])
    }

    @Test("Parser and scanner agree on every request, split and cut at every byte")
    func requestSplits() {
        var failures: [String] = []
        for one in RequestBattery.cases {
            let problem = HTTPSupport.disagreement(HTTPSupport.bytes(one.bytes)) { bytes in
                let (status, head) = HTTPSupport.parse(bytes)
                return (status, head.size)
            }
            if let problem { failures.append("\(one.name): \(problem)") }
        }
        #expect(failures == [])
    }

    @Test("Parser and scanner agree on every response, split and cut at every byte")
    func responseSplits() {
        var failures: [String] = []
        for one in ResponseBattery.cases {
            let problem = HTTPSupport.disagreement(HTTPSupport.bytes(one.bytes)) { bytes in
                let (status, head) = HTTPSupport.parseResponse(bytes)
                return (status, head.size)
            }
            if let problem { failures.append("\(one.name): \(problem)") }
        }
        #expect(failures == [])
    }

    @Test("A forwarded request is forwarded once more without a change")
    func idempotence() {
        var failures: [String] = []
        for one in RequestBattery.cases {
            let once = HTTPSupport.forward(HTTPSupport.bytes(one.bytes))
            guard once.hasSuffix("\r\n\r\n") else { continue }
            // Max-Forwards counts down, and whoever lacks a Host is not asked again.
            if once.contains("Max-Forwards") { continue }
            let twice = HTTPSupport.forward(HTTPSupport.bytes(once))
            if twice != once { failures.append("\(one.name): \(twice.debugDescription)") }
        }
        #expect(failures == [])
    }
}
