/// Starts something on the driver that `--io` asks for.
enum DriverChoice {
    /// - Parameter attempt: starts all of it on io_uring, or on epoll; the text says why not on io_uring.
    static func start(
        _ choice: Configuration.IOChoice,
        _ attempt: (_ usesRing: Bool, _ note: String) throws(StartError) -> Void
    ) throws(StartError) {
        switch choice {
        case .epoll: try attempt(false, "as --io epoll asks")
        case .uring: try startOnRing(fallsBack: false, attempt)
        case .auto: try startOnRing(fallsBack: true, attempt)
        }
    }

    /// io_uring if it can be had: on every worker or on none, so that connections may pass between them.
    private static func startOnRing(
        fallsBack: Bool, _ attempt: (_ usesRing: Bool, _ note: String) throws(StartError) -> Void
    ) throws(StartError) {
        #if Uring
            if let error = RingProbe.failure() {
                guard fallsBack else {
                    throw StartError(message: "--io uring: \(error.message); uproxy doctor tells more")
                }
                try attempt(false, error.message)
                return
            }
            do throws(StartError) {
                try attempt(true, "")
            } catch {
                guard fallsBack, error.isDriverFailure else { throw error }
                try attempt(false, error.message)
            }
        #else
            guard fallsBack else {
                throw StartError(
                    message: "--io uring: this build has no io_uring (trait Uring); use --io epoll")
            }
            try attempt(false, "this build has no io_uring")
        #endif
    }

    /// For the start-up line.
    static func describe(usesRing: Bool, features: String, note: String) -> String {
        usesRing ? "io_uring (\(features))" : "epoll (\(note))"
    }
}
