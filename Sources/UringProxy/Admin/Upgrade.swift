internal import CPosix
internal import Synchronization

/// Puts a new process of the same program in the place of this one, and no connection is refused in between: it gets the
/// listening sockets, and only when its workers stand does this process take its hands off them.
public final class Upgrade: Sendable {
    /// What the workers of this process may take to end their accepts.
    private static let pausePatience: Int64 = 5_000_000_000

    private let server: Server
    private let admin: AdminServer?
    private let arguments: [String]
    private let timeout: @Sendable () -> Nanoseconds
    /// The new process, while it can be given up.
    private let process = Mutex(Int32(0))
    private let isAbandoned = Atomic(false)
    /// What the new process listens on in our place.
    private let kept = Mutex<Set<String>>([])

    /// - Parameters:
    ///   - admin: whose listener is handed over too.
    ///   - arguments: of the command line; the first of them is the program to start.
    ///   - timeout: until when the new process has to serve.
    public init(
        server: Server, admin: AdminServer?, arguments: [String],
        timeout: @escaping @Sendable () -> Nanoseconds
    ) {
        self.server = server
        self.admin = admin
        self.arguments = arguments
        self.timeout = timeout
    }

    // MARK: - The upgrade

    /// Starts the new process; returns when it serves and this one accepts nothing more.
    ///
    /// - Throws: why it does not. Nothing has changed then.
    /// - Returns: the new process.
    public func run() throws(StartError) -> Int32 {
        guard getpid() != 1 else {
            throw StartError(
                message:
                    "the first process of a container cannot be replaced, for the container ends with it; replace the container"
            )
        }
        var ours: Int32 = -1
        var theirs: Int32 = -1
        let made = unsafe cposix_make_channel(&ours, &theirs)
        guard made == 0 else { throw StartError(message: "no channel to a new process: errno \(-made)") }
        defer { _ = cposix_close(ours) }
        let process = start(channel: theirs)
        _ = cposix_close(theirs)
        guard process > 0 else { throw StartError(message: describeStart(errno: -process)) }
        self.process.withLock { $0 = process }
        do throws(StartError) {
            // Asked to before there was anybody to end.
            if isAbandoned.load(ordering: .acquiring) { throw StartError(message: "this process is to end") }
            try handOver(HandoverChannel(descriptor: ours))
        } catch {
            self.process.withLock { process in
                _ = kill(process, SIGKILL)
                process = 0
            }
            let status = cposix_reap(process)
            throw StartError(
                message: error.message.isEmpty
                    ? "the new process ended before it served, with status \(status); its standard error says why"
                    : error.message)
        }
        self.process.withLock { $0 = 0 }
        return process
    }

    /// Gives up an upgrade that is under way; `run` throws soon.
    public func abandon() {
        isAbandoned.store(true, ordering: .releasing)
        process.withLock { if $0 > 0 { _ = kill($0, SIGKILL) } }
    }

    /// Drains, after `run` has succeeded. What the new process does not listen on is closed.
    public func drain() {
        let kept = kept.withLock { $0 }
        admin?.handOver(kept)
        server.handOver(kept)
    }

    // MARK: - Its steps

    /// Both sides of this run in one process in tests.
    func handOver(_ channel: HandoverChannel) throws(StartError) {
        let timeout = timeout()
        let deadline = timeout.isOn ? cposix_monotonic_nanoseconds() + timeout.rawValue : .max
        try server.beginHandover()
        do throws(StartError) {
            send(channel)
            guard case .ready = try receive(channel, until: deadline) else {
                throw StartError(
                    message: "the new process speaks another version's language; restart instead")
            }
            admin?.pause()
            let pauseDeadline = cposix_monotonic_nanoseconds() + Self.pausePatience
            guard server.pauseAccepting(until: pauseDeadline) else {
                throw StartError(
                    message:
                        "a worker of this process has taken no turn for \(Nanoseconds(Self.pausePatience))")
            }
            channel.send(.yourTurn)
            guard case .serving(let addresses) = try receive(channel, until: deadline) else {
                throw StartError(
                    message: "the new process speaks another version's language; restart instead")
            }
            kept.withLock { $0 = Set(addresses) }
        } catch {
            server.resumeAccepting()
            admin?.resume()
            throw error
        }
    }

    private func send(_ channel: HandoverChannel) {
        channel.send(.version(HandoverChannel.version))
        for listener in server.listenersToHandOver + (admin.map { [$0.handedListener] } ?? []) {
            let step = Int(CPOSIX_DESCRIPTORS_LIMIT)
            for start in stride(from: 0, to: listener.descriptors.count, by: step) {
                let end = min(start + step, listener.descriptors.count)
                channel.send(
                    .listener(
                        role: listener.role, asked: listener.asked.description,
                        bound: listener.bound.description,
                        descriptors: Array(listener.descriptors[start..<end])))
            }
        }
        for (name, descriptor) in server.inherited.sockets {
            channel.send(.inherited(name: name, descriptor: descriptor))
        }
        channel.send(.end)
    }

    /// The new process's next word; an error without a message if it has ended without one.
    private func receive(
        _ channel: HandoverChannel, until deadline: Int64
    ) throws(StartError) -> HandoverChannel.Message {
        let message: HandoverChannel.Message
        do throws(HandoverChannel.ReceiveError) { message = try channel.receive(until: deadline) } catch {
            if isAbandoned.load(ordering: .acquiring) { throw StartError(message: "this process is to end") }
            switch error {
            case .ended: throw StartError(message: "")
            case .timedOut: throw StartError(message: "the new process did not serve within \(timeout())")
            case .failed(let errno):
                throw StartError(message: "receiving its word failed with errno \(errno)")
            case .notUnderstood:
                throw StartError(
                    message: "the new process speaks another version's language; restart instead")
            }
        }
        if case .refused(let why) = message {
            throw StartError(message: "the new process does not start: \(why)")
        }
        return message
    }

    /// The process, or -errno.
    private func start(channel: Int32) -> Int32 {
        // A watchdog goes by the process, and inherited sockets by number: neither holds for the new one.
        let stale = ["WATCHDOG_PID=", "LISTEN_PID=", "LISTEN_FDS=", "LISTEN_FDNAMES="]
        var environment = Self.environment.filter { variable in !stale.contains { variable.hasPrefix($0) } }
        environment.append("\(Predecessor.variable)=\(getpid())")
        return unsafe Self.withPointers(arguments) { arguments in
            unsafe Self.withPointers(environment) { environment in
                unsafe cposix_start_process(arguments[0]!, arguments, environment, channel)
            }
        }
    }

    private static var environment: [String] {
        var all: [String] = []
        guard var next = unsafe cposix_environment() else { return all }
        while let variable = unsafe next.pointee {
            all.append(unsafe String(cString: variable))
            unsafe next += 1
        }
        return all
    }

    /// As exec(3) takes them.
    private static func withPointers(
        _ texts: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Int32
    ) -> Int32 {
        let copies = unsafe texts.map { unsafe strdup($0) }
        defer { for index in unsafe copies.indices { unsafe free(copies[index]) } }
        let pointers = unsafe copies.map { unsafe UnsafePointer<CChar>($0) } + [nil]
        return unsafe pointers.withUnsafeBufferPointer { unsafe body($0.baseAddress!) }
    }

    private func describeStart(errno: Int32) -> String {
        let why =
            switch errno {
            case ENOENT: "there is no such program"
            case EACCES: "this process's user may not run it"
            case ENOEXEC: "it is no program"
            case ETXTBSY: "it is still being written"
            case ENOMEM, EAGAIN: "the system is out of memory or processes"
            default: "errno \(errno)"
            }
        return "cannot start \(arguments.first ?? ""): \(why)"
    }
}
