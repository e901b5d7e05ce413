/// ClientHellos: a verdict stands whatever follows, comes no earlier than the message is whole, and is the same however the message is
/// cut into records.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzHello(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    guard size > 1, let data else { return 0 }
    let control = Int(data[0])
    let bytes = UnsafeRawBufferPointer(start: data + 1, count: size - 1)
    let (whole, name) = verdict(bytes)
    let cut = control % bytes.count
    let (early, earlyName) = verdict(UnsafeRawBufferPointer(rebasing: bytes[..<cut]))
    require(early == .incomplete || early == whole, "\(early) at \(cut), then \(whole)")
    require(early == .incomplete || earlyName == name, "\(earlyName), then \(name)")
    // The rest as a message of its own, in one record and in many.
    let message = Array(bytes.dropFirst(5))
    guard !message.isEmpty, message.count < 1024 else { return 0 }
    let one = HelloMaker.records(message).withUnsafeBytes(verdict)
    let many = HelloMaker.records(message, of: control % 7 + 1).withUnsafeBytes(verdict)
    require(one == many, "\(one) in one record, \(many) in records of \(control % 7 + 1)")
    return 0
}

private func verdict(_ bytes: UnsafeRawBufferPointer) -> (ClientHello.Verdict, [UInt8]) {
    var name = GrowingBytes(capacity: ClientHello.nameLimit)
    let verdict = ClientHello.parse(ByteView(bytes), name: &name)
    guard case .complete(let size) = verdict else { return (verdict, []) }
    return (verdict, (0..<size).map { name.pointer[$0] })
}
