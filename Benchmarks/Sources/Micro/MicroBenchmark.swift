/// One operation of the engine, to be run many times.
struct MicroBenchmark {
    let name: String
    /// Runs it so often. What comes back depends on every run, so that none is optimised away.
    let run: (Int) -> Int

    /// By the rooms of the engine.
    static var all: [MicroBenchmark] {
        codec + bodies + memory + time + sharing + balancing + destinations + routing + counting
    }
}
