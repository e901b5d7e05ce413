internal import CPosix

/// What root alone may do, and how it is given up.
enum Privileges {
    /// Becomes a user of less rights, for good. To be called when the listeners are open, and before the workers start: what a
    /// ring may do follows the user that makes it.
    ///
    /// - Parameter sockets: unix sockets that this process made: they are removed at the end, by their new owner.
    static func drop(to name: String, sockets: [SocketAddress]) throws(StartError) {
        var user: UInt32 = 0
        var group: UInt32 = 0
        let found = unsafe cposix_find_user(name, &user, &group)
        guard found == 0 else {
            throw StartError(
                message: found == -ENOENT
                    ? "--user \(name): there is no such user; make it with useradd --system \(name)"
                    : "--user \(name): looking it up failed with errno \(-found)")
        }
        if getuid() == user && geteuid() == user { return }
        for socket in sockets where socket.isUnix {
            let path = String(socket.description.dropFirst("unix:".count))
            if path.hasPrefix("@") { continue }
            let result = unsafe chown(path, user, group)
            guard result == 0 else {
                throw StartError(
                    message: "--user \(name): \(path) cannot be given to it; run as root, or leave --user out"
                )
            }
        }
        let result = unsafe cposix_become(name, user, group)
        guard result == 0 else {
            throw StartError(
                message:
                    "--user \(name): only root can become another user (errno \(-result)); run as root, or leave --user out"
            )
        }
    }
}
