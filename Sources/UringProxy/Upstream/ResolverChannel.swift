internal import CAres
internal import CPosix

/// One channel of c-ares: a set of servers, a way to look up, and the sockets of what is under way.
///
/// The resolver's thread alone touches it. Results are kept in `results` and fetched afterwards: the library
/// calls back in the midst of its own work, when the resolver's state must not change.
@safe final class ResolverChannel {
    enum Kind {
        /// The name as it stands.
        case absolute
        /// With the search list of resolv.conf.
        case search
    }
    enum Family { case ipv4, ipv6, both }

    /// How one call ended.
    struct Result {
        /// What `start` was given.
        let identifier: UInt64
        let status: ResolverStatus
        /// The least of the addresses and of the aliases before them.
        let ttlSeconds: UInt32
        var addresses: [IPAddress] = []
        var services: [ServiceRecord] = []
    }

    /// Of one call; what a message holds beyond them is left out.
    private static let addressLimit = 512
    private static let serviceLimit = 4096

    /// What a call of c-ares carries through the library.
    @safe private struct Call {
        let channel: Unmanaged<ResolverChannel>
        let identifier: UInt64
    }

    private var channel: ares_channel?
    private let epoll: Epoll
    /// In the upper half of the tag of each epoll registration; the descriptor is in the lower.
    let tag: UInt32
    /// Calls that have not ended.
    private var outstanding = 0
    private var results: [Result] = []
    /// Of resolv.conf: how many dots make a name that is tried as it stands, and whether there is a search
    /// list.
    private(set) var dotsOfFullName = 1
    private(set) var hasSearchList = false

    /// The library's own set-up, once: it counts its users, but not safely from several threads.
    private static let libraryStatus = ares_library_init(ARES_LIB_INIT_ALL)

    init(_ kind: Kind, options: ResolverOptions, epoll: Epoll, tag: UInt32) throws(ResolverError) {
        self.epoll = epoll
        self.tag = tag
        guard ResolverChannel.libraryStatus == ARES_SUCCESS else {
            throw .library(code: ResolverChannel.libraryStatus)
        }
        let status = configure(kind, options: options)
        guard status == ARES_SUCCESS else { throw .library(code: status) }
        if !options.servers.isEmpty {
            let list = options.servers.joined(separator: ",")
            // The library's reader is lenient; ours is not.
            for server in options.servers {
                do { _ = try SocketAddress(parsing: server) } catch { throw .badServer(server) }
            }
            let status = unsafe list.withCString { unsafe ares_set_servers_ports_csv(channel, $0) }
            guard status == ARES_SUCCESS else { throw .badServer(list) }
        }
        if kind == .search { readSearchOptions() }
    }

    deinit { close() }

    /// Ends every call that is under way with ARES_EDESTRUCTION, which frees what it carries.
    ///
    /// Before the last reference goes, for the calls refer to this object.
    func close() {
        guard let channel = unsafe channel else { return }
        unsafe self.channel = nil
        unsafe ares_destroy(channel)
    }

    private func configure(_ kind: Kind, options: ResolverOptions) -> Int32 {
        var settings = unsafe ares_options()
        // HOSTALIASES would let the environment rename hosts.
        unsafe settings.flags = ARES_FLAG_NOALIASES
        unsafe settings.timeout = options.attemptMilliseconds
        unsafe settings.tries = options.attempts
        unsafe settings.sock_state_cb = { context, descriptor, readable, writable in
            guard let context = unsafe context else { return }
            let channel = unsafe Unmanaged<ResolverChannel>.fromOpaque(context).takeUnretainedValue()
            channel.socketChanged(descriptor, isRead: readable != 0, isWritten: writable != 0)
        }
        unsafe settings.sock_state_cb_data = Unmanaged.passUnretained(self).toOpaque()
        var mask =
            ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB | ARES_OPT_LOOKUPS
        if kind != .search {
            // No domain and no dots needed: the name as it stands, once.
            unsafe settings.ndots = 0
            unsafe settings.ndomains = 0
            mask |= ARES_OPT_DOMAINS | ARES_OPT_NDOTS
        }
        mask |= ARES_OPT_RESOLVCONF
        // ares_init_options(3): DNS alone; the hosts file is ours (`HostsFile`), nsswitch.conf has no say.
        return unsafe "b".withCString { letters in
            unsafe options.configurationPath.withCString { path in
                // The library copies both texts and does not change them.
                unsafe settings.lookups = UnsafeMutablePointer(mutating: letters)
                unsafe settings.resolvconf_path = UnsafeMutablePointer(mutating: path)
                return unsafe ares_init_options(&channel, &settings, mask)
            }
        }
    }

    private func readSearchOptions() {
        var settings = unsafe ares_options()
        var mask: Int32 = 0
        guard unsafe ares_save_options(channel, &settings, &mask) == ARES_SUCCESS else { return }
        dotsOfFullName = unsafe Int(settings.ndots)
        hasSearchList = unsafe settings.ndomains > 0
        unsafe ares_destroy_options(&settings)
    }

    var isIdle: Bool { outstanding == 0 }

    /// Starts a call; its result may be there at once.
    func start(_ name: String, family: Family, identifier: UInt64) {
        var hints = ares_addrinfo_hints()
        // The library's own order opens a socket for each address to learn its route.
        hints.ai_flags = ARES_AI_NOSORT
        switch family {
        case .ipv4: hints.ai_family = AF_INET
        case .ipv6: hints.ai_family = AF_INET6
        case .both: hints.ai_family = AF_UNSPEC
        }
        outstanding += 1
        let call = UnsafeMutablePointer<Call>.allocate(capacity: 1)
        unsafe call.initialize(to: Call(channel: Unmanaged.passUnretained(self), identifier: identifier))
        unsafe name.withCString { text in
            unsafe ares_getaddrinfo(
                channel, text, nil, &hints,
                { argument, status, _, list in unsafe ResolverChannel.ended(argument, status, list) }, call)
        }
    }

    /// Starts a call for SRV records; its result may be there at once.
    func startServices(_ name: String, identifier: UInt64) {
        outstanding += 1
        let call = UnsafeMutablePointer<Call>.allocate(capacity: 1)
        unsafe call.initialize(to: Call(channel: Unmanaged.passUnretained(self), identifier: identifier))
        // RFC 1035 §3.2.4: class IN is 1; RFC 2782: type SRV is 33.
        unsafe name.withCString { text in
            unsafe ares_query(
                channel, text, 1, 33,
                { argument, status, _, bytes, size in
                    unsafe ResolverChannel.servicesEnded(argument, status, bytes, size)
                }, call)
        }
    }

    /// The results that came since the last time.
    func takeResults() -> [Result] {
        guard !results.isEmpty else { return [] }
        let taken = results
        results.removeAll(keepingCapacity: true)
        return taken
    }

    /// A socket has something to read, or can be written to.
    func process(_ descriptor: Int32, isReadable: Bool, isWritable: Bool) {
        unsafe ares_process_fd(
            channel, isReadable ? descriptor : -1, isWritable ? descriptor : -1)
    }

    /// Goes on with what has waited too long for a server.
    func processTimeouts() { unsafe ares_process_fd(channel, -1, -1) }

    /// How long the thread may sleep; nil if nothing is under way.
    var sleepNanoseconds: Int64? {
        var time = timeval()
        guard unsafe ares_timeout(channel, nil, &time) != nil else { return nil }
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_usec) * 1_000
    }

    /// The library opened, closed or changed its mind about a socket; a close is told before it happens.
    private func socketChanged(_ descriptor: Int32, isRead: Bool, isWritten: Bool) {
        let identity = UInt64(tag) << 32 | UInt64(UInt32(bitPattern: descriptor))
        guard isRead || isWritten else {
            _ = cposix_epoll_control(epoll.descriptor, EPOLL_CTL_DEL, descriptor, 0, identity)
            return
        }
        let events =
            (isRead ? UInt32(CPOSIX_EPOLLIN) : 0) | (isWritten ? UInt32(CPOSIX_EPOLLOUT) : 0)
        if cposix_epoll_control(epoll.descriptor, EPOLL_CTL_MOD, descriptor, events, identity) == -ENOENT {
            _ = cposix_epoll_control(epoll.descriptor, EPOLL_CTL_ADD, descriptor, events, identity)
        }
    }

    private static func ended(
        _ argument: UnsafeMutableRawPointer?, _ status: Int32, _ list: UnsafeMutablePointer<ares_addrinfo>?
    ) {
        guard let (channel, identifier) = unsafe take(argument) else { return }
        var addresses: [IPAddress] = []
        var ttlSeconds = UInt32.max
        if let list = unsafe list {
            unsafe collect(list.pointee, into: &addresses, &ttlSeconds)
            unsafe ares_freeaddrinfo(list)
        }
        channel.outstanding -= 1
        channel.results.append(
            Result(
                identifier: identifier,
                status: outcome(status, isEmpty: addresses.isEmpty), ttlSeconds: ttlSeconds,
                addresses: addresses))
    }

    private static func servicesEnded(
        _ argument: UnsafeMutableRawPointer?, _ status: Int32, _ bytes: UnsafeMutablePointer<UInt8>?,
        _ size: Int32
    ) {
        guard let (channel, identifier) = unsafe take(argument) else { return }
        var status = status
        var services: [ServiceRecord] = []
        var ttlSeconds: UInt32 = 0
        if status == ARES_SUCCESS, let bytes = unsafe bytes {
            var list: UnsafeMutablePointer<ares_srv_reply>?
            status = unsafe ares_parse_srv_reply(bytes, size, &list)
            var node = unsafe list
            while let current = unsafe node, services.count < serviceLimit {
                services.append(
                    ServiceRecord(
                        priority: unsafe current.pointee.priority, weight: unsafe current.pointee.weight,
                        port: unsafe current.pointee.port,
                        target: unsafe String(cString: current.pointee.host).lowercased()))
                unsafe node = current.pointee.next
            }
            unsafe ares_free_data(list)
            ttlSeconds =
                unsafe MessageTTL.least(
                    ByteView(UnsafeRawBufferPointer(start: bytes, count: Int(size)))) ?? 0
        }
        channel.outstanding -= 1
        channel.results.append(
            Result(
                identifier: identifier, status: outcome(status, isEmpty: services.isEmpty),
                ttlSeconds: ttlSeconds, services: services))
    }

    /// What a call carried, which ends with it.
    private static func take(_ argument: UnsafeMutableRawPointer?) -> (ResolverChannel, identifier: UInt64)? {
        guard let argument = unsafe argument else { return nil }
        let pointer = unsafe argument.assumingMemoryBound(to: Call.self)
        let call = unsafe pointer.move()
        unsafe pointer.deallocate()
        return (unsafe call.channel.takeUnretainedValue(), call.identifier)
    }

    private static func collect(
        _ list: ares_addrinfo, into addresses: inout [IPAddress], _ ttlSeconds: inout UInt32
    ) {
        var node = unsafe list.nodes
        while let current = unsafe node {
            // RFC 2181 §8: a TTL with the first bit set counts as zero.
            ttlSeconds = unsafe min(ttlSeconds, UInt32(max(0, current.pointee.ai_ttl)))
            if let raw = unsafe current.pointee.ai_addr, addresses.count < addressLimit,
                let address = unsafe SocketAddress(
                    fromSockaddr: UnsafeRawPointer(raw), size: Int(current.pointee.ai_addrlen))?.address
            {
                addresses.append(address)
            }
            unsafe node = current.pointee.ai_next
        }
        var alias = unsafe list.cnames
        while let current = unsafe alias {
            ttlSeconds = unsafe min(ttlSeconds, UInt32(max(0, current.pointee.ttl)))
            unsafe alias = current.pointee.next
        }
    }

    private static func outcome(_ status: Int32, isEmpty: Bool) -> ResolverStatus {
        switch status {
        case ARES_SUCCESS: isEmpty ? .notFound : .ok
        case ARES_ENOTFOUND, ARES_ENODATA, ARES_ENONAME: .notFound
        case ARES_ETIMEOUT: .timedOut
        default: .failed(code: status)
        }
    }
}
