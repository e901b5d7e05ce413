/// PROXY protocol headers: a verdict stands whatever follows, comes no earlier than the header is whole, and what was read is
/// written and read again as the same. And the account of a request's hops, which may hold anything a field may.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzProxy(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    guard size > 1, let data else { return 0 }
    let control = Int(data[0])
    let bytes = UnsafeRawBufferPointer(start: data + 1, count: size - 1)
    let limit = control & 1 == 0 ? 4096 : 64
    let whole = withView(bytes) { ProxyHeader.parse($0, limit: limit) }
    let cut = control % bytes.count
    let early = withView(UnsafeRawBufferPointer(rebasing: bytes[..<cut])) {
        ProxyHeader.parse($0, limit: limit)
    }
    switch early {
    case .complete: require(early == whole, "\(early) at \(cut), then \(whole)")
    case .invalid: if case .invalid = whole {} else { require(false, "\(early) at \(cut), then \(whole)") }
    case .incomplete: break
    }
    switch whole {
    case .complete(let header):
        require(header.size <= bytes.count && header.size <= max(limit, 107), "the header leaves the bytes")
        require(cut >= header.size || early == .incomplete, "\(early) at \(cut) of \(header.size)")
        checkWriting(header.addresses)
    case .incomplete: require(bytes.count < max(limit, 107), "\(bytes.count) bytes are not enough")
    case .invalid: break
    }
    for field in [FieldName.xForwardedFor, .forwarded] { checkChain(bytes, field) }
    return 0
}

private func checkWriting(_ addresses: AddressPair?) {
    for version in [ProxyHeader.Version.v1, .v2] {
        guard let out = written(capacity: 107, { $0.append(proxyHeader: version, addresses) }) else {
            fatalError("no header is longer than 107 bytes")
        }
        guard case .complete(let header) = withView(out, { ProxyHeader.parse($0, limit: 107) }) else {
            fatalError("what was written is no header: \(out)")
        }
        require(header.size == out.count && header.addresses == addresses, "written \(out)")
    }
}

/// Two lines: the bytes, and a trusted hop behind them.
private func checkChain(_ bytes: UnsafeRawBufferPointer, _ field: FieldName) {
    let hop = Array((field == .forwarded ? "for=10.0.0.2" : "10.0.0.2").utf8)
    withView(Array(bytes) + hop) { view in
        var fields = FieldTable(capacity: 2)
        for range in [0..<bytes.count, bytes.count..<view.count] {
            var line = FieldLine(start: range.lowerBound, colon: -1, end: range.upperBound)
            line.id = field
            require(fields.append(line), "two lines fit")
        }
        let chain = ForwardedChain(field, fields: fields, bytes: view)
        let peer = IPAddress(ipv4: 0x0A00_0001)
        let proxies = AddressSet([AddressPrefix(ipv4: 0x0A00_0000, length: 8)])
        require(chain.client(of: peer, trusting: AddressSet([])) == peer, "nobody is trusted")
        // The hop that the peer told of is read; only a hop before it can lead back to the peer's own address.
        let client = chain.client(of: peer, trusting: proxies)
        require(client != peer || bytes.contains(UInt8(ascii: "1")), "the second line is not read")
    }
}
