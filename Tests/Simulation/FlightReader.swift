#if DEBUG || TESTABLE
    @testable internal import UringProxy

    /// What one engine's flight recorder is read by: after each turn, so that none of its events is missed. Exchanges and connections that
    /// begin end once, and nothing happens to them before or after.
    final class FlightReader {
        private let world: World
        private let name: String
        private let ring: FlightRing
        private var next: UInt64 = 0
        /// Under way, by their ids.
        private var exchanges: Set<UInt64> = []
        /// Slots with their generations, of those that were accepted and have not closed.
        private var connections: Set<UInt64> = []
        private var time = Int64.min
        private var highestID: UInt64 = 0

        init(_ world: World, name: String, _ ring: FlightRing) {
            self.world = world
            self.name = name
            self.ring = ring
        }

        /// Another snapshot's.
        static func next(_ plan: FlightPlan) -> FlightPlan {
            FlightPlan(lanes: plan.lanes, slow: plan.slow, number: plan.number + 1)
        }

        /// After a turn.
        func read() {
            let (events, first) = ring.read(limit: Int(clamping: ring.count - next))
            if first != next {
                // A turn of thousands of events: what is known of exchanges is no more.
                world.violate("\(name): \(first - next) events were overwritten within a turn")
            }
            for event in events { check(event) }
            next = first + UInt64(events.count)
        }

        private func check(_ event: FlightEvent) {
            func expect(_ isTrue: Bool, _ text: @autoclosure () -> String) {
                if !isTrue {
                    world.violate("\(name), \(event.kind.map { "\($0)" } ?? "?") of \(event.a): \(text())")
                }
            }
            expect(event.time >= time, "at \(event.time), after one at \(time)")
            time = event.time
            let words = FlightWords(names: FlightNames(), worker: 0)
            expect(!words.describe(event).isEmpty, "no words")
            switch event.kind {
            case .exchangeBegan:
                expect(event.a > highestID, "its id is not new")
                highestID = event.a
                expect(exchanges.insert(event.a).inserted, "it began before")
            case .exchangeEnded:
                expect(exchanges.remove(event.a) != nil, "it had not begun")
            case .stageTotal, .total:
                expect(!exchanges.contains(event.a), "it has not ended")
            case .accepted:
                let connection = UInt64(event.generation) << 32 | UInt64(event.index)
                expect(connections.insert(connection).inserted, "accepted twice")
            case .closed:
                let connection = UInt64(event.generation) << 32 | UInt64(event.index)
                let how = FlightEvent.Closed(rawValue: event.value)
                if !how.contains(.isUpstream) && !how.contains(.isStream) {
                    expect(connections.remove(connection) != nil, "it was not accepted, or has closed")
                }
            case nil: expect(false, "an unknown event")
            default:
                if let id = event.exchange { expect(exchanges.contains(id), "it is not under way") }
            }
        }

        /// Nothing is under way any more.
        func checkQuiet() {
            read()
            if !exchanges.isEmpty || !connections.isEmpty {
                world.violate(
                    "\(name): \(exchanges.count) exchanges and \(connections.count) connections did not end")
            }
        }
    }

    extension Scenario {
        /// A flight recorder; nil: the world has none.
        func flight(workers: Int) -> FlightPlan? {
            guard world.recordsFlight else { return nil }
            return FlightPlan(
                lanes: (0..<workers).map { _ in FlightLane(capacity: 1 << 15) }, slow: 20 * 1_000_000,
                number: 1)
        }
    }
#endif
