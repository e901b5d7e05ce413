/// What the fuzz targets share. They are compiled together with the sources, by `scripts/fuzz`, not by the package.

/// Stops the fuzzer, which then keeps the input.
func require(_ condition: Bool, _ message: @autoclosure () -> String, line: UInt = #line) {
    if !condition { fatalError("\(message()) (line \(line))") }
}

/// Memory of exactly this size, so that the address sanitizer sees a read past the end.
func withView<Result>(_ bytes: UnsafeRawBufferPointer, _ body: (ByteView) -> Result) -> Result {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { memory.deallocate() }
    memory.copyMemory(from: bytes)
    return body(ByteView(UnsafeRawBufferPointer(memory)))
}

func withView<Result>(_ bytes: [UInt8], _ body: (ByteView) -> Result) -> Result {
    bytes.withUnsafeBytes { withView($0, body) }
}

/// What `body` writes; nil if it did not fit.
func written(capacity: Int, _ body: (inout ByteWriter) -> Void) -> [UInt8]? {
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    defer { memory.deallocate() }
    var writer = ByteWriter(base: memory, capacity: capacity)
    body(&writer)
    return writer.overflowed ? nil : Array(UnsafeBufferPointer(start: memory, count: writer.count))
}

/// The scanner against the parser's verdict on `bytes`, with the bytes up to `cut` scanned before.
func checkScanner(
    _ bytes: UnsafeRawBufferPointer, cut: Int, limits: HeadLimits, status: ParseStatus, size: Int
) {
    var scanner = HeadEndScanner()
    let early = withView(UnsafeRawBufferPointer(rebasing: bytes[..<cut])) {
        scanner.find(in: $0, limits: limits)
    }
    let found = early ?? withView(bytes) { scanner.find(in: $0, limits: limits) }
    if let early, status == .complete { require(early == size, "scanner found \(early), the parser \(size)") }
    switch status {
    case .complete: require(found == size, "scanner found \(String(describing: found)), the parser \(size)")
    case .incomplete: require(found == nil, "scanner found \(found!), the parser nothing")
    case .invalid: break
    }
}
