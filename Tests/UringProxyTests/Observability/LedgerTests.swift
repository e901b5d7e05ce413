import Testing

@testable import UringProxy

@Suite struct LedgerTests {
    @Test func everyNanosecondIsOneStages() {
        var ledger = Ledger(start: 1000)
        ledger.enter(.route, at: 1200)
        ledger.enter(.connect, at: 1210)
        ledger.enter(.wait, at: 1310)
        ledger.enter(.receive, at: 2310)
        ledger.enter(.drain, at: 2400)
        ledger.enter(.drain, at: 2500)
        let times = ledger.times
        #expect(times.total == 1500)
        #expect(times[.read] == 200)
        #expect(times[.route] == 10)
        #expect(times[.connect] == 100)
        #expect(times[.wait] == 1000)
        #expect(times[.receive] == 90)
        #expect(times[.drain] == 100)
        #expect(times.added == 110)
    }

    @Test func failedAttemptsStandApart() {
        var ledger = Ledger(start: 0)
        ledger.enter(.route, at: 10)
        ledger.attempt(at: 10)
        ledger.enter(.connect, at: 10)
        ledger.enter(.connect, at: 110)
        ledger.attempt(at: 110)
        ledger.enter(.wait, at: 130)
        ledger.enter(.receive, at: 200)
        #expect(ledger.retries == 100)
        #expect(ledger.times.total == 200)
    }

    @Test func eachStageHasItsPlace() {
        var times = Ledger.Times()
        for (number, stage) in Ledger.Stage.allCases.enumerated() { times[stage] = Int64(1) << number }
        for (number, stage) in Ledger.Stage.allCases.enumerated() {
            #expect(times[stage] == Int64(1) << number)
        }
        #expect(times.total == Int64(1) << Ledger.Stage.allCases.count - 1)
        let added = Ledger.Stage.allCases.filter(\.isAdded).reduce(into: Int64(0)) { $0 += times[$1] }
        #expect(times.added == added)
    }
}
