internal import Glibc

/// What something takes of memory for as long as it is there.
struct Footprint {
    let name: String
    /// Parts of it that the whole is divided by.
    let parts: Int
    let make: () -> AnyObject

    /// By the rooms of the engine.
    static var all: [Footprint] { routes }

    /// Copies that are made, so that what making one leaves to the allocator is used by the next.
    private static let copies = 16

    /// Resident bytes that each copy adds.
    func measure() -> Int {
        var kept = [make()]
        let before = Self.residentBytes()
        for _ in 0..<Self.copies { kept.append(make()) }
        let bytes = (Self.residentBytes() - before) / Self.copies
        return withExtendedLifetime(kept) { bytes }
    }

    private static func residentBytes() -> Int {
        guard let file = fopen("/proc/self/statm", "r") else { preconditionFailure("there is no /proc") }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        guard fgets(&line, Int32(line.count), file) != nil else { preconditionFailure("statm is empty") }
        let words = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            .split(
                separator: " ")
        guard words.count > 1, let pages = Int(words[1]) else { preconditionFailure("statm is no list") }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }
}
