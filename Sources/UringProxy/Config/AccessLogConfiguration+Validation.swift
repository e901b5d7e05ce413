extension AccessLogConfiguration {
    static let sampleRange = 1...1_000_000_000
    static let rateRange = 0...1_000_000_000
    static let fieldLimit = 64
    static let bufferRange = (64 << 10)...(64 << 20)
    static let recordRange = 512...AccessRecord.sizeLimit
    static let smallestRotation: UInt64 = 64 << 10
    static let keepRange = 0...100_000

    /// What is wrong with it; `pidFile` is the file that the process's number is written into.
    func check(_ problems: inout ProblemList, pidFile: String?) {
        var destination: AccessLogDestination?
        do throws(OptionSyntaxError) { destination = try AccessLogDestination(parsing: to) } catch {
            problems.add("--access-log", error)
        }
        var isBinary = false
        do throws(OptionSyntaxError) { isBinary = try AccessLogFormat(parsing: format).isBinary } catch {
            problems.add("--access-log-format", error)
        }
        if let destination {
            if isBinary && destination.takesMessages {
                problems.add(
                    "--access-log-format", "\(quoted(to)) takes lines of text, and binary records are none",
                    "write json, or log to a file")
            }
            if case .file(let path) = destination, let pidFile, path == pidFile {
                problems.add(
                    "--access-log", "\(quoted(path)) is the file of the process's number as well",
                    "give the log a file of its own")
            }
            if rotation != nil && !destination.isFile {
                problems.add(
                    "access_log.rotate", "\(quoted(to)) is no file, and cannot be rotated",
                    "leave it out, or log to a file")
            }
        }
        checkNumbers(&problems)
        checkRotation(&problems)
        checkNames("fields.request", requestFields, &problems)
        checkNames("fields.response", responseFields, &problems)
        checkNames("redact.fields", redactedFields, &problems)
    }

    private func checkNumbers(_ problems: inout ProblemList) {
        func size(_ bytes: Int) -> String { ByteSize.describe(UInt64(clamping: bytes)) }
        problems.check("access_log.sample", sample, Self.sampleRange) { "\($0)" }
        problems.check("access_log.rate", rate, Self.rateRange) { "\($0)" }
        problems.check("access_log.buffer", bufferBytes, Self.bufferRange, size)
        problems.check("access_log.record", recordBytes, Self.recordRange, size)
    }

    private func checkRotation(_ problems: inout ProblemList) {
        guard let rotation else { return }
        if rotation.sizeBytes > 0 && rotation.sizeBytes < Self.smallestRotation {
            problems.add(
                "access_log.rotate.size",
                "\(ByteSize.describe(rotation.sizeBytes)) is less than \(ByteSize.describe(Self.smallestRotation))",
                "let files grow larger: each takes a name")
        }
        let (hour, day) = (Nanoseconds.hours(1).rawValue, Nanoseconds.hours(24).rawValue)
        let every = rotation.every.rawValue
        if every > 0 && !(every >= hour && every <= day && day % every == 0 && every % hour == 0) {
            problems.add(
                "access_log.rotate.every", "\(rotation.every) does not begin at the same hours each day",
                "use 1h, 2h, 3h, 4h, 6h, 8h, 12h or 1d")
        }
        if rotation.sizeBytes == 0 && every == 0 {
            problems.add(
                "access_log.rotate", "nothing says when the file is rotated", "add 'size', 'every' or both")
        }
        if !Self.keepRange.contains(rotation.keep) {
            problems.add(
                "access_log.rotate.keep", "\(rotation.keep) is not from 0 to \(Self.keepRange.upperBound)",
                "choose a value between them")
        }
    }

    private func checkNames(_ key: String, _ names: [String], _ problems: inout ProblemList) {
        if names.count > Self.fieldLimit {
            problems.add(
                "access_log.\(key)", "\(names.count) fields are more than \(Self.fieldLimit)", "name fewer")
        }
        for (index, name) in names.enumerated()
        where name.isEmpty || name.utf8.count > 255 || !name.utf8.allSatisfy(\.isTokenByte) {
            problems.add(
                "access_log.\(key)[\(index)]", "\(quoted(name)) is no name of a field",
                "write it as it stands before the colon, such as X-Request-Id")
        }
    }
}

extension RouteLogConfiguration {
    /// What is wrong with it.
    ///
    /// - Parameter path: of the route.
    func check(_ path: String, _ problems: inout ProblemList) {
        if let sample {
            problems.check("\(path).log.sample", sample, AccessLogConfiguration.sampleRange) { "\($0)" }
        }
        if let rate { problems.check("\(path).log.rate", rate, AccessLogConfiguration.rateRange) { "\($0)" } }
        if !isOn && (sample != nil || rate != nil) {
            problems.add(
                "\(path).log.\(sample != nil ? "sample" : "rate")", "its requests are not logged",
                "leave it out, or 'enabled: off'")
        }
    }
}

extension ProblemList {
    fileprivate mutating func check(
        _ key: String, _ value: Int, _ range: ClosedRange<Int>, _ text: (Int) -> String
    ) {
        if range.contains(value) { return }
        add(
            key, "\(text(value)) is not from \(text(range.lowerBound)) to \(text(range.upperBound))",
            "choose a value between them")
    }
}
