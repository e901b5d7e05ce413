internal import CPosix
internal import Synchronization

/// One address that is listened on, and its sockets.
struct OpenListener {
    /// What workers know it by; no two of a server's life are the same.
    let id: Int
    /// With the port that the kernel chose where 0 was asked.
    let address: SocketAddress
    var listener: ListenerConfiguration
    /// Where it stands among all listeners of the configuration.
    var place: Int
    /// Another process keeps the socket: the service manager, who made it, or a successor.
    var isInherited: Bool
    /// One for each worker, or more where a process before had more of them; workers have duplicates.
    let descriptors: [Int32]
    /// The listener that had the sockets before.
    let successorOf: Int?
    /// How many connections it has, while it has a limit; of one that has the sockets of another it is that one's.
    let load: ListenerLoad

    private init(
        address: SocketAddress, listener: ListenerConfiguration, place: Int, isInherited: Bool,
        descriptors: [Int32],
        successorOf: Int? = nil, load: ListenerLoad = ListenerLoad()
    ) {
        id = Self.ids.wrappingAdd(1, ordering: .relaxed).newValue
        self.address = address
        self.listener = listener
        self.place = place
        self.isInherited = isInherited
        self.descriptors = descriptors
        self.successorOf = successorOf
        self.load = load
    }

    private static let ids = Atomic<Int>(0)

    /// Nothing has come of it: its file goes as well, unless that is another one's.
    func abandon() {
        close()
        if !isInherited && successorOf == nil { ListenerSocket.removeFile(address) }
    }

    func close() { for descriptor in descriptors { _ = cposix_close(descriptor) } }

    // MARK: - Opening

    /// Opens what is not open yet. If anything fails, all is as before.
    ///
    /// - Parameters:
    ///   - wanted: all listeners that are to be there in the end.
    ///   - count: of the workers.
    ///   - present: those that are there.
    ///   - inherited: what names of the service manager's sockets stand for.
    ///   - predecessor: the process whose place is taken, and whose sockets.
    /// - Returns: all that are there now, and of those the ones that are new. Where the role of one has changed its socket
    ///   belongs to a new one, with a duplicate of it.
    static func open(
        _ wanted: [ListenerConfiguration], count: Int, beside present: [OpenListener],
        _ inherited: InheritedSockets, takingOver predecessor: Predecessor? = nil
    ) throws(StartError) -> (all: [OpenListener], new: [OpenListener]) {
        var all: [OpenListener] = []
        var new: [OpenListener] = []
        var rest = present
        do throws(StartError) {
            for (place, listener) in wanted.enumerated() {
                // Of those with a port of the kernel's choice each is one of its own; a name stands for all sockets that have it.
                var known = rest.filter { $0.listener.address == listener.address }
                if let first = known.first, !first.isInherited { known = [first] }
                rest.removeAll { one in known.contains { $0.id == one.id } }
                if known.isEmpty {
                    let opened = try open(listener, place, count: count, inherited, predecessor)
                    new += opened
                    all += opened
                    continue
                }
                for var one in known {
                    if one.listener.role == listener.role {
                        one.listener = listener
                        one.place = place
                        all.append(one)
                    } else {
                        let other = try one.duplicate(listener, place)
                        new.append(other)
                        all.append(other)
                    }
                }
            }
        } catch {
            for listener in new { listener.abandon() }
            throw error
        }
        return (all, new)
    }

    private static func open(
        _ listener: ListenerConfiguration, _ place: Int, count: Int, _ inherited: InheritedSockets,
        _ predecessor: Predecessor?
    ) throws(StartError) -> [OpenListener] {
        guard case .inherited(let name)? = try? AddressText(parsing: listener.address) else {
            let (descriptors, address) = try ListenerSocket.listen(
                listener.address, count: count, role: listener.role.rawValue, takingOver: predecessor)
            return [
                OpenListener(
                    address: address, listener: listener, place: place, isInherited: false,
                    descriptors: descriptors)
            ]
        }
        return try inherited.listeners(name: name, count: count).map {
            OpenListener(
                address: $0.address, listener: listener, place: place, isInherited: true,
                descriptors: $0.descriptors)
        }
    }

    private func duplicate(_ listener: ListenerConfiguration, _ place: Int) throws(StartError) -> OpenListener
    {
        OpenListener(
            address: address, listener: listener, place: place, isInherited: isInherited,
            descriptors: try Self.copies(of: descriptors), successorOf: id, load: load)
    }

    private static func copies(of descriptors: [Int32]) throws(StartError) -> [Int32] {
        var copies: [Int32] = []
        do throws(StartError) {
            for descriptor in descriptors { copies.append(try ListenerSocket.share(descriptor)) }
        } catch {
            for copy in copies { _ = cposix_close(copy) }
            throw error
        }
        return copies
    }

    // MARK: - For the workers

    /// For each worker all listeners as its engine has them.
    ///
    /// - Parameter isNew: whether an engine is to be given a descriptor for one.
    static func share(
        _ all: [OpenListener], with snapshot: Snapshot, count: Int,
        isNew: (OpenListener) -> Bool = { _ in true }
    ) throws(StartError) -> [[Listener]] {
        var shared = [[Listener]](repeating: [], count: count)
        do throws(StartError) {
            for open in all {
                let descriptors =
                    isNew(open)
                    ? try copies(of: open.descriptors) : [Int32](repeating: -1, count: count)
                for (index, descriptor) in descriptors.enumerated() {
                    shared[index % count].append(open.listener(descriptor: descriptor, snapshot))
                }
            }
        } catch {
            for listener in shared.joined() where listener.descriptor >= 0 {
                _ = cposix_close(listener.descriptor)
            }
            throw error
        }
        return shared
    }

    private func listener(descriptor: Int32, _ snapshot: Snapshot) -> Listener {
        var cluster = (listener.cluster ?? listener.parent).flatMap { name in
            snapshot.clusters.firstIndex { $0.name == name }
        }
        // Nothing goes anywhere but by its name.
        if !listener.serverNames.isEmpty { cluster = cluster ?? -1 }
        let routes = listener.routes.flatMap { name in snapshot.routes.firstIndex { $0.name == name } }
        let role: Listener.Role =
            switch listener.role {
            case .reverse: .reverse
            case .forward: .forward
            case .tcp: .tcp
            }
        return Listener(
            descriptor: descriptor, id: id, role: role, cluster: cluster, routes: routes ?? -1,
            isInherited: isInherited, access: snapshot.access.ofListeners[place],
            connectionLimit: Int32(clamping: listener.maxConnections),
            tls: listener.tls == nil ? Listener.speaksNoTLS : Int32(place),
            serverNames: listener.serverNames.isEmpty ? -1 : Int32(place),
            speaksHTTP2: listener.speaksHTTP2)
    }

    // MARK: - For people

    /// What it does, in a line.
    func describe(_ configuration: Configuration) -> String {
        let place =
            address.description + (isInherited ? " (inherited)" : "") + (listener.tls == nil ? "" : " (TLS)")
            + Self.headerNote(configuration)
        switch (listener.role, listener.routes) {
        case (.forward, _):
            return "forward proxy on \(place)" + (listener.parent.map { " through \($0)" } ?? "")
        case (.reverse, let routes?): return "reverse proxy on \(place), routes \(routes)"
        case (.tcp, _) where !listener.serverNames.isEmpty:
            let clusters = listener.serverNames.map(\.cluster).joined(separator: ", ")
            return "tcp on \(place) by server name to \(clusters)"
                + (listener.cluster.map { ", else to \($0)" } ?? "")
        case (.reverse, nil), (.tcp, _):
            let cluster = configuration.allClusters.first { $0.name == listener.cluster }
            let destination = cluster?.destination ?? ""
            return "\(listener.role == .tcp ? "tcp" : "reverse proxy") on \(place) to \(destination)"
        }
    }

    /// Whom the listeners take PROXY protocol headers from: worth a word, as whoever may send one may be anybody.
    private static func headerNote(_ configuration: Configuration) -> String {
        let trust = configuration.trust
        guard trust.proxyProtocol == .require else { return "" }
        let senders = trust.proxyProtocolFrom.joined(separator: ", ")
        return ", behind the PROXY protocol of \(senders.isEmpty ? "anybody" : senders)"
    }
}
