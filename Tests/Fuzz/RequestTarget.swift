/// Requests: what is accepted goes upstream as a request with the same method and framing, and stays as it is when it
/// passes another such proxy.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRequest(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    guard size > 1, let data else { return 0 }
    let control = data[0]
    let bytes = UnsafeRawBufferPointer(start: data + 1, count: size - 1)
    let limits = control & 1 == 0 ? HeadLimits() : HeadLimits(headBytes: 300, fields: 8, uriBytes: 60)
    var fields = FieldTable(capacity: 256)
    var head = RequestHead()
    let (status, out): (ParseStatus, [[UInt8]]) = withView(bytes) { view in
        let status = RequestParser.parse(view, limits: limits, fields: &fields, head: &head)
        guard status == .complete else { return (status, []) }
        require(head.size <= view.count && head.target.end <= head.size, "a range leaves the head")
        return (
            status, [rewrite(head, fields, view, options: false), rewrite(head, fields, view, options: true)]
        )
    }
    checkScanner(bytes, cut: Int(control) % bytes.count, limits: limits, status: status, size: head.size)

    let first = head
    for (index, bytes) in out.enumerated() {
        withView(bytes) { view in
            let larger = HeadLimits(headBytes: 1 << 20, fields: 256, uriBytes: 1 << 16)
            let status = RequestParser.parse(view, limits: larger, fields: &fields, head: &head)
            require(status == .complete, "forwarded, then \(status): \(view.string.debugDescription)")
            require(head.size == view.count, "forwarded \(view.count) bytes, read \(head.size)")
            require(head.method == first.method && head.framing == first.framing, "read differently")
            require((head.upgrade == nil) == (first.upgrade == nil), "Upgrade")
            require(
                head.teTrailers == first.teTrailers && head.expectsContinue == first.expectsContinue,
                "TE, Expect")
            if index == 0, first.maxForwards == nil {
                require(
                    rewrite(head, fields, view, options: false) == bytes, "not the same when forwarded again")
            }
        }
    }
    return 0
}

private func rewrite(_ head: RequestHead, _ fields: borrowing FieldTable, _ view: ByteView, options: Bool)
    -> [UInt8]
{
    let name: StaticString = "2001:db8::1"
    let peer = ByteView(base: name.utf8Start, count: name.utf8CodeUnitCount)
    let result = written(capacity: view.count * 2 + 1024) { writer in
        RequestRewriter.write(
            head: head, fields: fields, bytes: view, into: &writer,
            options: options
                ? ForwardingOptions(via: peer[0..<4], xForwarded: .append, forwarded: .append) : .init(),
            peer: peer, peerIsIPv6: true, proto: "http", keepUpgrade: true)
    }
    guard let result else { fatalError("no room") }
    return result
}
