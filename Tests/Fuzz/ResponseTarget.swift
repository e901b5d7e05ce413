/// Responses: what is accepted goes downstream as a response with the same status and framing.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzResponse(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    guard size > 1, let data else { return 0 }
    let control = data[0]
    let bytes = UnsafeRawBufferPointer(start: data + 1, count: size - 1)
    let method = Method(rawValue: (control >> 1) % 10) ?? .get
    let limits = control & 1 == 0 ? HeadLimits() : HeadLimits(headBytes: 300, fields: 8, uriBytes: 60)
    var fields = FieldTable(capacity: 256)
    var head = ResponseHead()
    let (status, out): (ParseStatus, [UInt8]) = withView(bytes) { view in
        let status = ResponseParser.parse(
            view, requestMethod: method, limits: limits, fields: &fields, head: &head)
        guard status == .complete else { return (status, []) }
        require(head.size <= view.count && head.reason.end <= head.size, "a range leaves the head")
        return (status, rewrite(head, fields, view))
    }
    checkScanner(bytes, cut: Int(control) % bytes.count, limits: limits, status: status, size: head.size)
    guard status == .complete else { return 0 }

    let first = head
    withView(out) { view in
        let larger = HeadLimits(headBytes: 1 << 20, fields: 256, uriBytes: 1 << 16)
        let status = ResponseParser.parse(
            view, requestMethod: method, limits: larger, fields: &fields, head: &head)
        require(status == .complete, "forwarded, then \(status): \(view.string.debugDescription)")
        require(head.size == view.count && head.status == first.status, "read differently")
        require(head.framing == first.framing, "framing \(first.framing), then \(head.framing)")
        require(rewrite(head, fields, view) == out, "not the same when forwarded again")
    }
    return 0
}

private func rewrite(_ head: ResponseHead, _ fields: borrowing FieldTable, _ view: ByteView) -> [UInt8] {
    let result = written(capacity: view.count * 2 + 1024) { writer in
        ResponseRewriter.write(
            head: head, fields: fields, bytes: view, into: &writer, via: .empty, connection: .none,
            framing: .asReceived, keepUpgrade: true, downstreamVersion: .http11)
    }
    guard let result else { fatalError("no room") }
    return result
}
