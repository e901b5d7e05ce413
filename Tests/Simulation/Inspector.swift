#if DEBUG || TESTABLE
    @testable internal import UringProxy

    /// Asks a worker how it stands, again and again: one step every few turns, or now and then all of them at once, when what it says has to be
    /// so.
    final class Inspector {
        private let world: World
        private let name: String
        private var underWay: Inspection?
        private var answers = 0
        private var turns = 0

        init(_ world: World, name: String) {
            self.world = world
            self.name = name
        }

        private var question: Inspection.Question {
            var question = Inspection.Question()
            question.exchanges = 8
            question.includesTunnels = answers % 2 == 0
            question.connections = answers % 3 * 8
            return question
        }

        /// Once a turn.
        func ask(_ engine: inout Engine<SimulatedDriver>) {
            turns += 1
            if turns % 8 != 0 { return }
            let inspection = underWay ?? Inspection(question) {}
            underWay = inspection
            let isAtOnce = answers % 4 == 3
            repeat {
                guard engine.goOn(with: inspection) else { continue }
                underWay = nil
                answers += 1
                guard let answer = inspection.said else {
                    world.violate("\(name): an answer that is not told")
                    return
                }
                check(answer, engine, isExact: isAtOnce)
            } while isAtOnce && underWay != nil
        }

        private func check(
            _ answer: Inspection.Answer, _ engine: borrowing Engine<SimulatedDriver>, isExact: Bool
        ) {
            func expect(_ isTrue: Bool, _ text: @autoclosure () -> String) {
                if !isTrue { world.violate("\(name), inspected: \(text())") }
            }
            for exchange in answer.exchanges {
                expect(exchange.age >= 0 && exchange.stageAge >= 0, "an exchange from the future")
                expect(
                    exchange.stageAge <= exchange.age || exchange.id == 0, "a stage older than its exchange")
                expect(!exchange.waitsFor.isEmpty, "an exchange that waits for nothing")
                expect(!exchange.path.contains("?"), "a query is told: \(exchange.path)")
            }
            let ages = answer.exchanges.map(\.age)
            // Heads that came slowly are older than they were parsed.
            expect(ages.count <= 8, "\(ages.count) exchanges told of")
            for phase in Connection.Phase.allCases {
                let (down, up) = (
                    answer.downstreamPhases[Int(phase.rawValue)], answer.upstreamPhases[Int(phase.rawValue)]
                )
                expect(down == 0 || phase.isDownstream, "\(down) connections of clients \(phase.label)")
                expect(up == 0 || phase.isUpstream, "\(up) connections to endpoints \(phase.label)")
            }
            guard isExact else { return }
            let connections = answer.downstreamPhases.reduce(0, +) + answer.upstreamPhases.reduce(0, +)
            expect(
                connections == engine.connections.count,
                "\(connections) connections of \(engine.connections.count)")
            let exchanges = answer.exchangeStates.reduce(0, +)
            expect(exchanges == engine.exchanges.count, "\(exchanges) exchanges of \(engine.exchanges.count)")
            let idle = answer.pools.reduce(0) { $0 + $1.idle }
            let pooled = answer.upstreamPhases[Int(Connection.Phase.pooled.rawValue)]
            expect(idle == pooled, "\(idle) idle connections, \(pooled) pooled")
        }
    }
#endif
