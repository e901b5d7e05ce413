/// Makes what listeners that speak TLS begin handshakes with.
struct TLSCompiler {
    /// What a listener's context was made of, the stamps of its files taken before they were read.
    struct Compiled: Sendable {
        var material: TLSMaterial
        var stamps: [[UInt64]]
        var context: TLSContext
    }

    /// Of each listener, in the order of the configuration's; nil where it speaks none, or cannot.
    private(set) var listeners: [Compiled?] = []
    /// Each by the path of its key.
    private(set) var problems: [ConfigurationProblem] = []

    init(_ configuration: Configuration, tickets: TLSTicketRegistry) {
        let all = configuration.allListeners
        // Those of options come first, and speak none.
        let ofOptions = all.count - configuration.listeners.count
        for (place, listener) in all.enumerated() {
            let blank = listener.tls.map {
                TLSMaterial($0, of: listener, path: "listeners[\(place - ofOptions)].tls")
            }
            listeners.append(blank.flatMap { compile($0, tickets) })
        }
    }

    var contexts: [TLSContext?] { listeners.map { $0?.context } }

    private mutating func compile(_ blank: TLSMaterial, _ tickets: TLSTicketRegistry) -> Compiled? {
        var reader = TLSReader()
        let stamps = blank.parts.map { TLSWatch.stamps(of: blank.files(of: $0)) }
        let material = reader.material(blank, tickets)
        let context = material.flatMap { reader.context($0) }
        problems += reader.problems
        guard let material, let context else { return nil }
        return Compiled(material: material, stamps: stamps, context: context)
    }
}
