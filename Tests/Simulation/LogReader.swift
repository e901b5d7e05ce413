#if DEBUG || TESTABLE
    @testable internal import UringProxy

    /// What one engine's access log is read by: every exchange leaves one record, whose times add up.
    final class LogReader {
        private let world: World
        private let name: String
        private let ring: RecordRing
        /// Of exchanges whose record is missing, the numbers up to the highest one.
        private var missing: Set<UInt64> = []
        private var highest: UInt64 = 0

        init(_ world: World, name: String, _ ring: RecordRing) {
            self.world = world
            self.name = name
            self.ring = ring
        }

        /// After a turn.
        func read() {
            while let bytes = ring.next() {
                if let record = AccessRecordView(bytes) {
                    check(record)
                } else {
                    world.violate("\(name): what was logged is no record")
                }
                ring.consume(bytes)
            }
        }

        private func check(_ view: AccessRecordView) {
            let record = view.record
            func expect(_ isTrue: Bool, _ text: @autoclosure () -> String) {
                if !isTrue { world.violate("\(name), record \(record.id): \(text())") }
            }
            note(record.id & 0xFFFF_FFFF_FFFF)
            for stage in Ledger.Stage.allCases {
                expect(record.times[stage] >= 0, "\(stage) took \(record.times[stage]) ns")
            }
            expect(
                record.times.total <= world.now, "it took \(record.times.total) ns, since before the start")
            expect(record.retries <= record.times.total, "\(record.retries) ns of retries")
            expect(record.weight == 1, "it stands for \(record.weight)")
            let isCut = !record.flags.isDisjoint(with: [.isAborted, .isCut])
            let failure = view[.failure]
            if record.status == 0 && !record.flags.contains(.isRelay) {
                expect(isCut || !failure.isEmpty, "no status, and nothing went wrong")
            }
            expect(record.flags.contains(.isRelay) || record.version != 0, "of no version")
            var reader = AccessTextReader(view.texts)
            var kinds: Set<UInt8> = []
            while let text = reader.next() {
                expect(kinds.insert(text.kind).inserted || text.kind >= 32, "text \(text.kind) twice")
            }
        }

        private func note(_ number: UInt64) {
            if number > highest {
                for between in highest + 1..<number { missing.insert(between) }
                highest = number
            } else if missing.remove(number) == nil {
                world.violate("\(name): exchange \(number) is logged twice")
            }
        }

        /// - Parameter count: of exchanges and refusals that the engine has numbered.
        func checkQuiet(count: UInt64) {
            read()
            if highest != count || !missing.isEmpty || ring.droppedCount > 0 {
                world.violate(
                    "\(name): \(count) exchanges, and \(missing.count) of \(highest) were not logged, \(ring.droppedCount) dropped"
                )
            }
        }
    }

    extension Scenario {
        /// A log that leaves nothing out; nil: the world has none.
        func accessLog(workers: Int) -> AccessLogPlan? {
            guard let size = world.loggedBytes else { return nil }
            let bell: AccessLogBell
            do { bell = try AccessLogBell() } catch { preconditionFailure("no eventfd") }
            return AccessLogPlan(
                sample: 1, rate: 0, slow: .max, keepsErrors: true, requestFields: [Array("x-number".utf8)],
                responseFields: [Array("content-length".utf8)], recordSize: size, workers: workers,
                capacity: 1 << 20, waits: false, bell: bell)
        }
    }
#endif
