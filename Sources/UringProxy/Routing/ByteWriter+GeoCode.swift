extension ByteWriter {
    mutating func append(_ code: GeoCode) {
        for index in 0..<code.count { append(byte: code.byte(at: index)) }
    }
}
