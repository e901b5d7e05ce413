#if DEBUG || TESTABLE
    @testable internal import UringProxy

    /// What one engine's spans are read by: every sampled exchange leaves one record, and times that can be.
    final class SpanReader {
        private let world: World
        private let name: String
        private let lane: TraceLane
        private var count: UInt64 = 0
        private var seen: Set<UInt64> = []

        init(_ world: World, name: String, _ lane: TraceLane) {
            self.world = world
            self.name = name
            self.lane = lane
        }

        /// After a turn.
        func read() {
            while let bytes = lane.ring.next() {
                if let view = SpanRecordView(bytes) {
                    check(view)
                } else {
                    world.violate("\(name): what is left for spans is no record")
                }
                lane.ring.consume(bytes)
            }
        }

        private func check(_ view: SpanRecordView) {
            func expect(_ isTrue: Bool, _ text: @autoclosure () -> String) {
                if !isTrue { world.violate("\(name), span of \(view.record.id): \(text())") }
            }
            count += 1
            let (record, notes) = (view.record, view.notes)
            expect(notes.isSampled, "it is not sampled")
            expect(seen.insert(notes.context.span).inserted, "its id is another one's")
            expect(notes.context.span & 1 == 0 && notes.context.span != 0, "its id is odd, or none")
            expect(notes.context.high | notes.context.low != 0, "it has no trace")
            let end = record.startedAt + record.times.total
            if notes.attemptedAt != 0 {
                expect(notes.attemptedAt >= record.startedAt, "it was sent before it came")
                expect(notes.attemptedAt <= notes.endedAt, "it was sent when it was over")
            } else {
                expect(record.attempts == 0, "it was never sent, \(record.attempts) times")
            }
            expect(notes.endedAt <= end && notes.endedAt >= record.startedAt, "it ended outside of its time")
            var encoder = SpanEncoder(TracingConfiguration(), instance: "i", version: "v")
            var (bytes, sizes): ([UInt8], [Int]) = ([], [])
            encoder.append(view, to: &bytes, sizes: &sizes)
            expect(sizes.reduce(0, +) == bytes.count, "its sizes are wrong")
            var reader = ProtobufReader(bytes[...])
            var spans = 0
            while reader.next() != nil { spans += 1 }
            expect(spans == (notes.attemptedAt == 0 ? 1 : 2), "it makes \(spans) spans")
        }

        /// - Parameter sampled: exchanges of the engine whose traces are sampled.
        func checkQuiet(count sampled: UInt64) {
            read()
            if count != sampled || lane.droppedCount > 0 {
                world.violate(
                    "\(name): \(sampled) exchanges are sampled, \(count) of them left spans, \(lane.droppedCount) were dropped"
                )
            }
        }
    }

    extension Scenario {
        /// nil: the world does nothing about traces.
        func tracing(workers: Int) -> TracePlan? {
            guard let configuration = world.tracing else { return nil }
            let bell: AccessLogBell
            do { bell = try AccessLogBell() } catch { preconditionFailure("no eventfd") }
            return TracePlan(
                configuration,
                lanes: configuration.export == nil ? [] : (0..<workers).map { _ in TraceLane(bell: bell) })
        }
    }
#endif
