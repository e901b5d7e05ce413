/// Field lines that a route adds to a response; views that are good while the head is written.
struct ResponseLines: BitwiseCopyable {
    /// Stands in `text` where the endpoint goes, which was not known when that was written. No value of a field has this byte.
    static var endpointMark: UInt8 { 0x01 }

    var text = ByteView.empty
    var endpoint = ByteView.empty

    static var none: ResponseLines { ResponseLines() }

    func write(into writer: inout ByteWriter) {
        var start = 0
        for index in 0..<text.count where text[index] == Self.endpointMark {
            writer.append(text[start..<index])
            writer.append(endpoint)
            start = index &+ 1
        }
        writer.append(text[start..<text.count])
    }
}
