internal import Synchronization

// How things stand, as the workers say.
extension Server {
    /// What all workers said; nil where one has not, within the time that there was: it is late with its turn.
    struct Survey: Sendable {
        var answers: [Inspection.Answer?]

        var all: [Inspection.Answer] { answers.compactMap { $0 } }
        /// The workers that did not answer, by number.
        var late: [Int] { answers.indices.filter { answers[$0] == nil } }

        /// By what it is for, in bytes.
        var memory: KeyValuePairs<StaticString, Int> {
            let sum = all.reduce(WorkerMemory()) { $0 + $1.memory }
            return [
                "connections": sum.connections, "exchanges": sum.exchanges, "endpoints": sum.endpoints,
                "buffers": sum.buffers, "log_texts": sum.texts, "histograms": sum.histograms,
            ]
        }
    }

    /// Asks all workers, each of which answers in between its turns.
    ///
    /// - Parameter patience: how long to wait for them at most.
    func survey(_ question: Inspection.Question, patience: Nanoseconds) -> Survey {
        let threads = state.withLock { $0.threads }.filter { !$0.hasEnded }
        guard !threads.isEmpty, let acknowledgement = try? Acknowledgement(count: threads.count) else {
            return Survey(answers: [])
        }
        let asked = threads.map { thread in
            let inspection = Inspection(question) { acknowledgement.count() }
            thread.worker.inspect(inspection)
            return (thread.worker, inspection)
        }
        if !acknowledgement.wait(patience: patience) {
            for (worker, inspection) in asked { worker.withdraw(inspection) }
        }
        return Survey(answers: asked.map(\.1.said))
    }
}
