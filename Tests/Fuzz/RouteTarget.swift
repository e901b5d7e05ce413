/// Paths and routes: a normal path stays as it is, holds no dot segment and no doubled slash, and is found by the patterns
/// that its own segments make.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRoute(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    guard size > 1, let data else { return 0 }
    let control = data[0]
    let bytes = UnsafeRawBufferPointer(start: data + 1, count: size - 1)
    var scratch = RouteScratch(pathBytes: 0)
    let normal = withView(bytes) { view -> [UInt8]? in
        guard let path = try? scratch.normalised(view) else { return nil }
        require(path.count <= max(1, view.count), "longer than received")
        return (0..<path.count).map { path[$0] }
    }
    guard let normal, normal.first == UInt8(ascii: "/") else { return 0 }
    let parts = normal.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    for (index, part) in parts.enumerated() {
        require(!part.elementsEqual(".".utf8) && !part.elementsEqual("..".utf8), "a dot segment is left")
        require(!part.isEmpty || index == parts.count - 1, "a doubled slash is left")
    }
    withView(normal) { view in
        guard let again = try? scratch.normalised(view) else { fatalError("refused the second time") }
        require(
            again.count == view.count && again.pointer == view.pointer, "not the same when normalised again")
        checkTemplates(parts.map { String(decoding: $0, as: UTF8.self) }, view, control, &scratch)
    }
    return 0
}

/// Templates that have placeholders at the segments that the bits of `control` choose.
private func checkTemplates(
    _ parts: [String], _ path: ByteView, _ control: UInt8, _ scratch: inout RouteScratch
) {
    guard parts.count <= 8, parts.allSatisfy({ $0.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } }) else {
        return
    }
    func pattern(_ bits: UInt8) -> String {
        parts.enumerated().map { index, part in
            bits >> UInt8(index) & 1 == 1 && !part.isEmpty ? "/{x\(index)}" : "/" + part
        }.joined()
    }
    let texts = [pattern(control), pattern(~control), pattern(control & 0x55), "/{rest...}"]
    var rules: [RouteRule] = []
    for text in texts {
        // Segments with what is syntax in a pattern make none, or another.
        guard !parts.contains(where: { $0.utf8.contains { "{}*<>\\".utf8.contains($0) } }),
            let pattern = try? PathPattern(parsing: text)
        else { continue }
        rules.append(RouteRule(path: pattern))
    }
    guard rules.count == texts.count else { return }
    guard let table = try? RouteTable(rules, seed: UInt64(control)) else { fatalError("refused") }
    let request = RouteRequest(
        host: .empty, path: path, query: .empty, method: .get, methodName: .empty, head: .empty,
        source: .loopback4)
    let fields = FieldTable(capacity: 1)
    guard let match = table.find(request, fields: fields, scratch: &scratch) else {
        fatalError("found by none of \(texts)")
    }
    require(match.rule < 3, "found by the rest before \(texts)")
    var rebuilt = ""
    var capture = 0
    guard let kind = rules[match.rule].path?.kind else { fatalError("no path") }
    switch kind {
    case .exact(let segments): rebuilt = "/" + segments.joined(separator: "/")
    case .template(let segments):
        for segment in segments {
            switch segment {
            case .literal(let text): rebuilt += "/" + text
            case .placeholder, .rest:
                rebuilt += "/" + path[match.capture(capture)].string
                capture += 1
            }
        }
    case .prefix, .expression: fatalError("no such pattern")
    }
    require(rebuilt == path.string, "\(rebuilt) is not \(path.string)")
}
