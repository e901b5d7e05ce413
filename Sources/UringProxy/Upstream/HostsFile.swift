internal import CPosix

/// The names of /etc/hosts (hosts(5)), in memory; read again when the file changed.
///
/// c-ares 1.18 would read the whole file for every name, lists of 100,000 blocked hosts too, all of it on the
/// one thread that resolves.
struct HostsFile {
    /// More than that is no hosts file.
    private static let maximumSize = 64 << 20

    private let path: String
    private let checkNanoseconds: Int64
    private var stamp: UInt64 = 0
    private var nextCheckNanoseconds = Int64.min
    private var addressesOfName: [String: [IPAddress]] = [:]

    init(path: String, checkMilliseconds: Int64) {
        self.path = path
        checkNanoseconds = checkMilliseconds * 1_000_000
    }

    /// - Parameter name: in lower case, without a final dot.
    mutating func addresses(of name: String, nowNanoseconds: Int64) -> [IPAddress]? {
        if nowNanoseconds >= nextCheckNanoseconds {
            nextCheckNanoseconds = nowNanoseconds + checkNanoseconds
            let current = WholeFile.stamp(of: path)
            if current != stamp {
                stamp = current
                addressesOfName = HostsFile.parse(HostsFile.read(path))
            }
        }
        return addressesOfName[name]
    }

    /// Lines that are not as hosts(5) says are passed over, as the C library does.
    static func parse(_ bytes: [UInt8]) -> [String: [IPAddress]] {
        var names: [String: [IPAddress]] = [:]
        for line in bytes.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
            let text = line.prefix { $0 != UInt8(ascii: "#") }
            let words = text.split { $0 == 0x20 || $0 == 0x09 }
            guard words.count > 1, let address = IPAddress(String(decoding: words[0], as: UTF8.self)) else {
                continue
            }
            for word in words.dropFirst() {
                let name = String(decoding: word.map(\.asciiLowercased), as: UTF8.self)
                // A name on several lines has all their addresses.
                if names[name]?.contains(address) != true { names[name, default: []].append(address) }
            }
        }
        return names
    }

    /// Empty if it cannot be read: a host need not have one.
    private static func read(_ path: String) -> [UInt8] {
        guard let file = unsafe fopen(path, "re") else { return [] }
        defer { _ = unsafe fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count < maximumSize {
            let size = unsafe fread(&chunk, 1, chunk.count, file)
            if size == 0 { break }
            bytes.append(contentsOf: chunk[..<size])
        }
        return bytes
    }
}
