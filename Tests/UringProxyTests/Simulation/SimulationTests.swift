#if DEBUG || TESTABLE
    import Simulation
    import Testing

    /// The engine in simulated worlds; `scripts/simulate` runs many more of them.
    struct SimulationTests {
        @Test("Whatever peers, network and kernel do, nothing is lost, mixed up, cut unseen or left behind")
        func seeds() {
            for seed in UInt64(1)...300 {
                let result = Simulation(seed: seed).run()
                #expect(result.violation == nil, "scripts/simulate --seed \(seed) --verbose")
            }
        }

        @Test("The same seed is the same run")
        func replay() {
            for seed in UInt64(1)...10 {
                let first = Simulation(seed: seed).run()
                let second = Simulation(seed: seed).run()
                #expect(first.events == second.events && first.operations == second.operations)
                #expect(first.turns == second.turns && first.answered == second.answered)
            }
        }

        @Test("Any one operation may fail in any way")
        func failures() {
            for seed in UInt64(1)...3 {
                let operations = Simulation(seed: seed).run().operations
                for operation in stride(from: 1, through: operations, by: max(1, operations / 25)) {
                    for variant in 0..<6 {
                        let result = Simulation(seed: seed, failing: (operation, variant)).run()
                        #expect(
                            result.violation == nil,
                            "scripts/simulate --seed \(seed) --fail \(operation) \(variant) --verbose")
                    }
                }
            }
        }
    }
#endif
