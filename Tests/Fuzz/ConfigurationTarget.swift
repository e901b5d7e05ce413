/// A configuration file of any bytes is read, or told what is wrong with it at a place that exists; what is read, printed and
/// read again, is the same.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzConfiguration(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    let bytes = data.map { Array(UnsafeBufferPointer(start: $0, count: size)) } ?? []
    let lines = bytes.count + 2
    do {
        let file = try read(bytes)
        let problems = file.problems(with: file.configuration)
        for problem in problems { check(problem, lines) }
        let printed = Array(ConfigurationPrinter(file.configuration, file: file).text.utf8)
        guard problems.isEmpty else { return 0 }
        do {
            let again = try read(printed)
            if again.configuration != file.configuration { fatalError("it changes when it is printed") }
        } catch { fatalError("what was printed cannot be read: \(error.all)") }
    } catch { for problem in error.all { check(problem, lines) } }
    return 0
}

private func read(_ bytes: [UInt8]) throws(FileProblems) -> ConfigurationFile {
    let texts = ConfigurationText(
        read: { $0 == "f" ? .success(bytes) : .failure(.init(call: "open", errno: 2)) }, match: { _ in [] })
    return try ConfigurationFile(reading: "f", from: texts) { _ in nil }
}

private func check(_ problem: FileProblem, _ lines: Int) {
    let parts = problem.place.split(separator: ":")
    if parts.count == 3, let line = Int(parts[1]), (1...lines).contains(line) { return }
    fatalError("\(problem.place) is no place: \(problem)")
}
