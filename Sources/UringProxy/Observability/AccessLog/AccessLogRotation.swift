internal import CPosix

/// When a log file is renamed, what to, and which ones stay: `access.log` becomes `access.log.20261130T190000Z`.
struct AccessLogRotation: Sendable {
    /// A file gets no larger, unless one write is; 0: any size.
    var sizeBytes: Int64
    /// Seconds, counted from midnight UTC; 0: any age.
    var everySeconds: Int64
    /// Renamed files that stay; 0: all.
    var keep: Int

    /// - Parameters:
    ///   - more: bytes that are to be written next.
    ///   - begunAt: when the file was begun, seconds since 1970.
    func isDue(size: Int64, more: Int, begunAt: Int64, now: Int64) -> Bool {
        (sizeBytes > 0 && size + Int64(more) > sizeBytes) || now >= periodEnd(begunAt)
    }

    /// Of the hour, day… that a time falls into.
    private func periodEnd(_ time: Int64) -> Int64 {
        everySeconds > 0 ? (time / everySeconds + 1) * everySeconds : .max
    }

    /// Gives the file another name: that of the end of its period, or, within it, of the time that it is.
    ///
    /// - Returns: 0, or errno.
    func rename(_ path: String, begunAt: Int64, now: Int64) -> Int32 {
        let stamp = Self.stamp(min(periodEnd(begunAt), now))
        // Behind all that have the same time: numbers of those that were deleted are not used anew.
        let last = Self.renamed(path).last { $0.stamp == stamp }
        var number = last.map { $0.number + 1 } ?? 0
        while true {
            let other = "\(path).\(stamp)" + (number == 0 ? "" : ".\(number)")
            let result = unsafe cposix_rename_new(path, other)
            // Another process was faster.
            if result != -EEXIST { return -result }
            number += 1
        }
    }

    /// Deletes those renamed files that are too many, the oldest ones.
    func deleteOld(_ path: String) {
        guard keep > 0 else { return }
        let (directory, _) = Self.parts(path)
        for file in Self.renamed(path).dropLast(keep) { _ = unsafe unlink(directory + file.name) }
    }

    // MARK: - Names

    /// The directory with its slash, empty if it is the current one; and the name in it.
    private static func parts(_ path: String) -> (directory: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return ("", path) }
        return (String(path[...slash]), String(path[path.index(after: slash)...]))
    }

    /// The files that this one has been, the oldest first.
    private static func renamed(_ path: String) -> [Renamed] {
        let (directory, name) = parts(path)
        return names(in: directory).compactMap { Renamed($0, of: name) }.sorted()
    }

    private final class Names {
        var all: [String] = []
    }

    private static func names(in directory: String) -> [String] {
        let names = Names()
        _ = unsafe cposix_each_name(
            directory.isEmpty ? "." : directory,
            { context, name in
                guard let context = unsafe context, let name = unsafe name else { return }
                unsafe Unmanaged<Names>.fromOpaque(context).takeUnretainedValue().all.append(
                    String(cString: name))
            }, Unmanaged.passUnretained(names).toOpaque())
        return names.all
    }

    /// `20261130T190000Z`.
    static func stamp(_ seconds: Int64) -> String {
        let (year, month, day) = HTTPDate.civil(seconds / 86_400)
        let time = seconds % 86_400
        func digits(_ number: Int64, _ count: Int) -> String {
            let text = "\(number)"
            return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
        }
        return digits(year, 4) + digits(month, 2) + digits(day, 2) + "T" + digits(time / 3600, 2)
            + digits(time / 60 % 60, 2) + digits(time % 60, 2) + "Z"
    }

    /// A file that was renamed, as its name tells.
    private struct Renamed: Comparable {
        let name: String
        let stamp: String
        let number: Int

        /// nil: it is another file.
        init?(_ name: String, of log: String) {
            guard name.hasPrefix(log + ".") else { return nil }
            let parts = name.dropFirst(log.count + 1).split(separator: ".", omittingEmptySubsequences: false)
            let pattern = Array("00000000T000000Z".utf8)
            guard let stamp = parts.first, (1...2).contains(parts.count), stamp.utf8.count == pattern.count,
                zip(stamp.utf8, pattern).allSatisfy({
                    $1 == UInt8(ascii: "0") ? (0x30...0x39).contains($0) : $0 == $1
                })
            else { return nil }
            if parts.count == 2 {
                guard let number = Int(parts[1]), number > 0, "\(number)" == parts[1] else { return nil }
                self.number = number
            } else {
                number = 0
            }
            self.name = name
            self.stamp = String(stamp)
        }

        static func < (a: Renamed, b: Renamed) -> Bool { (a.stamp, a.number) < (b.stamp, b.number) }
    }
}
