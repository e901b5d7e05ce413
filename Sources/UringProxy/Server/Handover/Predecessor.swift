internal import CPosix
internal import Synchronization

/// The process that this one takes the place of (`uproxy upgrade`). It hands over its listening sockets, serves until this one
/// can, and goes on if this one cannot.
public final class Predecessor: Sendable {
    /// Set for a process that was started to replace another one. What it says is nobody's business.
    static let variable = "UPROXY_PREDECESSOR"
    /// How long we wait for the old process's next word. It may wait for its workers in between.
    private static let patience: Int64 = 30_000_000_000

    private let channel: HandoverChannel
    private let state = Mutex(State())

    private struct State {
        var listeners: [Server.HandedListener] = []
        var inherited: [(name: String, descriptor: Int32)] = []
        var taken: [String] = []
    }

    init(channel: HandoverChannel) { self.channel = channel }

    /// This process's, if it has one.
    public static let ofThisProcess: Predecessor? = {
        guard environmentVariable(variable) != nil else { return nil }
        // It is not one to the processes that we start.
        _ = unsafe unsetenv(variable)
        let descriptor = Int32(CPOSIX_CHANNEL)
        guard cposix_set_close_on_exec(descriptor) == 0 else { return nil }
        return Predecessor(channel: HandoverChannel(descriptor: descriptor))
    }()

    // MARK: - In the order of a start

    /// Takes what is handed over.
    public func receive() throws(StartError) {
        do throws(HandoverChannel.ReceiveError) {
            let deadline = cposix_monotonic_nanoseconds() + Self.patience
            guard case .version(HandoverChannel.version) = try channel.receive(until: deadline) else {
                throw .notUnderstood
            }
            while try receiveSocket(until: deadline) {}
        } catch {
            throw StartError(
                message: "the process to be replaced did not hand over its listeners: \(Self.describe(error))"
            )
        }
    }

    /// Whether there may be more of them.
    private func receiveSocket(until deadline: Int64) throws(HandoverChannel.ReceiveError) -> Bool {
        switch try channel.receive(until: deadline) {
        case .listener(let role, let asked, let bound, let descriptors):
            guard let asked = try? SocketAddress(parsing: asked),
                let bound = try? SocketAddress(parsing: bound)
            else { throw .notUnderstood }
            state.withLock { state in
                // A message has room for so many: the same listener's come one after the other.
                if let last = state.listeners.indices.last,
                    state.listeners[last].bound.description == bound.description
                {
                    state.listeners[last].descriptors += descriptors
                } else {
                    state.listeners.append(
                        Server.HandedListener(
                            role: role, asked: asked, bound: bound, descriptors: descriptors))
                }
            }
            return true
        case .inherited(let name, let descriptor):
            state.withLock { $0.inherited.append((name, descriptor)) }
            return true
        case .end:
            return false
        case .version, .ready, .yourTurn, .serving, .refused:
            throw .notUnderstood
        }
    }

    /// What the service manager had passed on to it.
    var inherited: InheritedSockets { InheritedSockets(sockets: state.withLock { $0.inherited }) }

    /// The sockets that it listens with on an address; nil if it does not. The caller closes them.
    ///
    /// - Parameter limit: of how many the caller can make use. Connections may wait in each of them.
    func take(
        _ asked: SocketAddress, role: String, limit: Int = .max
    ) -> (descriptors: [Int32], address: SocketAddress)? {
        state.withLock { state in
            let text = asked.description
            // Port 0 asked for again, for the same purpose, is the port that it was then.
            let place =
                state.listeners.firstIndex { $0.asked.description == text && $0.role == role }
                ?? state.listeners.firstIndex { $0.bound.description == text }
            guard let place, state.listeners[place].descriptors.count <= limit else { return nil }
            let listener = state.listeners.remove(at: place)
            state.taken.append(listener.bound.description)
            return (listener.descriptors, listener.bound)
        }
    }

    /// Returns when the old process accepts nothing more: two that accept on one socket would miss each other's wake-ups, and
    /// may want it in different modes.
    func awaitTurn() throws(StartError) {
        channel.send(.ready)
        do throws(HandoverChannel.ReceiveError) {
            let deadline = cposix_monotonic_nanoseconds() + Self.patience
            guard case .yourTurn = try channel.receive(until: deadline) else { throw .notUnderstood }
        } catch {
            throw StartError(
                message: "the process to be replaced goes on instead: \(Self.describe(error))")
        }
    }

    /// All workers accept: the old process may drain. What was not taken is left to it.
    public func serving() {
        let (left, taken) = state.withLock { state in
            defer { state.listeners = [] }
            return (state.listeners, state.taken)
        }
        for descriptor in left.flatMap(\.descriptors) { _ = cposix_close(descriptor) }
        channel.send(.serving(taken))
        _ = cposix_close(channel.descriptor)
    }

    /// This process will not serve; the old one may tell whoever asked for it.
    public func refuse(_ why: String) { channel.send(.refused(why)) }

    private static func describe(_ error: HandoverChannel.ReceiveError) -> String {
        switch error {
        case .ended: "it has ended the conversation"
        case .timedOut: "it has said nothing for \(Nanoseconds(patience))"
        case .failed(EMFILE): "out of descriptors; raise ulimit -n"
        case .failed(let errno): "receiving failed with errno \(errno)"
        case .notUnderstood: "it speaks another version's language; restart instead"
        }
    }
}
