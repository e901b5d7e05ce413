extension TLSHost {
    /// nil for what is neither a name nor an address.
    init?(_ text: String) {
        var text = text
        let host = text.withUTF8 { bytes -> TLSHost? in
            let view = unsafe ByteView(UnsafeRawBufferPointer(bytes))
            if let address = HostName.literal(view) {
                return TLSHost(text: address.description, isAddress: true)
            }
            guard let name = HostName.normalised(view) else { return nil }
            let lowered = (0..<name.count).map { name[$0].asciiLowercased }
            return TLSHost(text: String(decoding: lowered, as: UTF8.self), isAddress: false)
        }
        guard let host else { return nil }
        self = host
    }
}
