#if DEBUG || TESTABLE
    internal import Glibc
    @testable internal import UringProxy

    /// The pipes of one engine's driver: queues of bytes with a capacity, and a strict eye on whose they are.
    final class Pipes {
        private struct Pipe {
            var bytes: [UInt8] = []
            var isLeased = true
            /// Operations that have not completed.
            var receives = 0
            var sends = 0
        }

        private unowned let world: World
        private let name: String
        private var pipes: [Pipe] = []

        init(_ world: World, name: String) {
            self.world = world
            self.name = name
        }

        private func use(_ pipe: PipeID, _ what: String) -> Int? {
            let index = Int(pipe.index)
            if index < pipes.count && pipes[index].isLeased { return index }
            world.violate("\(name): \(what) pipe \(pipe.index), which is not leased")
            return nil
        }

        var leasedCount: Int { pipes.lazy.filter { $0.isLeased }.count }

        func isLeased(_ pipe: PipeID) -> Bool { pipes[Int(pipe.index)].isLeased }
        func byteCount(_ pipe: PipeID) -> Int { pipes[Int(pipe.index)].bytes.count }

        // MARK: - Leases

        func lease() -> PipeID? {
            guard leasedCount < world.profile.pipes, !world.random.perMille(world.profile.pipeErrorMille)
            else {
                return nil
            }
            for index in pipes.indices where !pipes[index].isLeased && pipes[index].receives == 0 {
                guard pipes[index].sends == 0 else { continue }
                pipes[index] = Pipe()
                return PipeID(index: UInt16(index))
            }
            pipes.append(Pipe())
            return PipeID(index: UInt16(pipes.count - 1))
        }

        func giveBack(_ pipe: PipeID) {
            if let index = use(pipe, "giving back") { pipes[index].isLeased = false }
        }

        // MARK: - Operations

        func beginReceive(_ pipe: PipeID) {
            guard let index = use(pipe, "receive into") else { return }
            if !pipes[index].bytes.isEmpty || pipes[index].receives > 0 {
                world.violate("\(name): receive into pipe \(pipe.index), which is not empty")
            }
            pipes[index].receives += 1
        }

        func beginSend(_ pipe: PipeID, size: Int) {
            guard let index = use(pipe, "send from") else { return }
            if pipes[index].bytes.count < size || pipes[index].sends > 0 {
                world.violate(
                    "\(name): send of \(size) from pipe \(pipe.index) with \(pipes[index].bytes.count)")
            }
            pipes[index].sends += 1
        }

        func endReceive(_ pipe: PipeID) { pipes[Int(pipe.index)].receives -= 1 }
        func endSend(_ pipe: PipeID) { pipes[Int(pipe.index)].sends -= 1 }

        /// Moves what chance lets through of what a socket holds: how much, 0 where a plain receive has to look, `-errno`.
        func fill(_ pipe: PipeID, from socket: Socket, size: Int) -> Int {
            guard isLeased(pipe) else { return -Int(ECANCELED) }
            if world.random.perMille(world.profile.spliceErrorMille) {
                return -Int(world.random.pick([EINVAL, ENOSYS, EPERM, ENOMEM, 0]))
            }
            var room = min(size, world.random.within(world.profile.pipeSize))
            if world.random.chance(world.profile.splitPercent) { room = world.random.within(1...room) }
            if world.random.perMille(world.profile.oneByteMille) { room = 1 }
            var taken: [UInt8] = []
            let result = unsafe socket.take(room) { unsafe taken.append(contentsOf: $0) }
            pipes[Int(pipe.index)].bytes = taken
            return result
        }

        /// Moves what the socket takes of so many bytes: how much, 0 for none yet, `-errno`.
        func empty(_ pipe: PipeID, into socket: Socket, size: Int) -> Int {
            guard isLeased(pipe) else { return -Int(ECANCELED) }
            if world.random.perMille(world.profile.spliceErrorMille) {
                return -Int(world.random.pick([EINVAL, ENOSYS, EPERM, ENOMEM]))
            }
            var most = size
            if world.random.chance(world.profile.splitPercent) { most = world.random.within(1...most) }
            let result = socket.write(pipes[Int(pipe.index)].bytes[..<most])
            if result > 0 { pipes[Int(pipe.index)].bytes.removeFirst(result) }
            return result
        }

        func read(_ pipe: PipeID, into memory: UnsafeMutableRawPointer, size: Int) -> Int32 {
            guard let index = use(pipe, "read of") else { return -EBADF }
            if pipes[index].bytes.isEmpty {
                world.violate("\(name): read of the empty pipe \(pipe.index)")
                return -EAGAIN
            }
            let count = min(size, pipes[index].bytes.count)
            unsafe pipes[index].bytes.withUnsafeBytes {
                unsafe memory.copyMemory(from: $0.baseAddress!, byteCount: count)
            }
            pipes[index].bytes.removeFirst(count)
            return Int32(count)
        }
    }
#endif
