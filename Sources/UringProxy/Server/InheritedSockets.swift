internal import CPosix

/// Listening sockets that the service manager opened and passed on (socket activation, sd_listen_fds(3)): connections wait
/// in them while the proxy restarts.
struct InheritedSockets: Sendable {
    /// Where they begin, by convention.
    private static let firstDescriptor: Int32 = 3

    let sockets: [(name: String, descriptor: Int32)]

    init(sockets: [(name: String, descriptor: Int32)]) { self.sockets = sockets }

    /// - Parameters:
    ///   - environment: the value of an environment variable; nil if it is not set.
    ///   - processID: of this process. What is meant for another one is not looked at.
    init(environment: (String) -> String?, processID: Int32) {
        guard environment("LISTEN_PID").flatMap({ Int32($0) }) == processID,
            let count = environment("LISTEN_FDS").flatMap({ Int32($0) }), count > 0, count <= 4096
        else {
            sockets = []
            return
        }
        let names =
            environment("LISTEN_FDNAMES")?.split(separator: ":", omittingEmptySubsequences: false) ?? []
        sockets = (0..<Int(count)).map { index in
            // sd_listen_fds_with_names(3): what has no name is called so.
            (index < names.count ? String(names[index]) : "unknown", Self.firstDescriptor + Int32(index))
        }
    }

    /// This process's.
    static func ofThisProcess() -> InheritedSockets {
        InheritedSockets(environment: environmentVariable, processID: getpid())
    }

    /// For each of `count` workers one listener of those called `name`, grouped by their addresses.
    ///
    /// Several sockets on one address (`ReusePort=yes` and the address as often as there are threads) are dealt out, so that
    /// the kernel spreads connections over workers. Of one alone every worker gets a duplicate.
    func listeners(
        name: String, count: Int
    ) throws(StartError) -> [(descriptors: [Int32], address: SocketAddress)] {
        let chosen = sockets.filter { $0.name == name }.map(\.descriptor)
        guard !chosen.isEmpty else {
            let names = Set(sockets.map { $0.name }).sorted().joined(separator: ", ")
            let known = names.isEmpty ? "none was passed" : "there are \(names)"
            throw StartError(
                message:
                    "fd:\(name): the service manager passed no such socket (\(known)); see FileDescriptorName= in the socket unit"
            )
        }
        var groups: [(address: SocketAddress, descriptors: [Int32])] = []
        for descriptor in chosen {
            guard cposix_is_listening(descriptor) == 1, let address = SocketAddress(boundBy: descriptor)
            else {
                throw StartError(
                    message:
                        "fd:\(name): descriptor \(descriptor) is no listening stream socket; use ListenStream= and Accept=no in the socket unit"
                )
            }
            if let index = groups.firstIndex(where: { $0.address.description == address.description }) {
                groups[index].descriptors.append(descriptor)
            } else {
                groups.append((address, [descriptor]))
            }
        }
        var result: [(descriptors: [Int32], address: SocketAddress)] = []
        for (address, descriptors) in groups {
            guard descriptors.count <= count else {
                throw StartError(
                    message:
                        "fd:\(name): \(descriptors.count) sockets on \(address.description) for \(count) threads, and connections to the others would wait for ever; pass as many as threads, or one"
                )
            }
            var ours: [Int32] = []
            do throws(StartError) {
                for worker in 0..<count {
                    // Duplicates: the socket itself stays for a second attempt, on another driver.
                    let copy = try ListenerSocket.share(descriptors[worker % descriptors.count])
                    ours.append(copy)
                    if !address.isUnix { SocketOptions.setNoDelay(copy) }
                }
            } catch {
                for descriptor in ours + result.flatMap(\.descriptors) { _ = cposix_close(descriptor) }
                throw error
            }
            result.append((ours, address))
        }
        return result
    }
}
