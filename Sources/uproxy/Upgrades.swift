internal import CPosix
internal import Synchronization
internal import UringProxy

/// Upgrades that SIGUSR2 asks for. Each runs on a thread of its own: signals and the watchdog are attended to meanwhile.
final class Upgrades: Sendable {
    private let upgrade: Upgrade
    private let state = Mutex(State())
    /// Of the last one; joined, when it has ended, by whoever begins another.
    private let thread = SystemThread()

    private struct State {
        var isRunning = false
        /// Who asked, and waits for the outcome; 0 for nobody known.
        var asker: Int32 = 0
        var successor: Int32?
    }

    init(_ upgrade: Upgrade) { self.upgrade = upgrade }

    /// The process that serves in this one's place. It was announced by a SIGUSR2 to ourselves.
    var successor: Int32? { state.withLock { $0.successor } }

    // MARK: - On the thread that waits for signals

    /// Begins an upgrade, unless one is under way.
    func request(by sender: Int32) {
        guard !state.withLock({ $0.isRunning || $0.successor != nil }) else {
            Self.answer(sender, "failed\0an upgrade is under way already")
            return
        }
        thread.join()
        state.withLock { state in
            state.isRunning = true
            state.asker = sender
        }
        printError("uproxy: SIGUSR2, starting a new process to take this one's place")
        do throws(SystemCallError) { try thread.start { self.run() } } catch { failed(error.message) }
    }

    /// Gives up an upgrade that is under way; returns when it is over. It may have succeeded.
    func abandon() {
        if state.withLock({ $0.isRunning }) { upgrade.abandon() }
        thread.join()
    }

    /// Ends what this process still does, in favour of its successor.
    func drain() { upgrade.drain() }

    /// Tells `uproxy upgrade`, where it waits for it, how its request ended.
    static func answer(_ asker: Int32, _ text: String) {
        guard asker > 0 else { return }
        let bytes = Array(text.utf8)
        _ = unsafe bytes.withUnsafeBytes {
            unsafe cposix_notify("@" + UpgradeCommand.mailbox(of: asker), $0.baseAddress, $0.count)
        }
    }

    // MARK: - On the upgrade's thread

    private func run() {
        do throws(StartError) {
            let process = try upgrade.run()
            let asker = state.withLock { state in
                state.isRunning = false
                state.successor = process
                return state.asker
            }
            Self.answer(asker, "ok\0\(process)")
            _ = kill(getpid(), SIGUSR2)
        } catch { failed(error.message) }
    }

    private func failed(_ reason: String) {
        let asker = state.withLock { state in
            state.isRunning = false
            return state.asker
        }
        printError("uproxy: no upgrade: \(reason); this process goes on")
        Self.answer(asker, "failed\0\(reason)")
    }
}
