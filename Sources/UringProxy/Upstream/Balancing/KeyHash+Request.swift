extension KeyHash {
    /// The hash of what a key names in a request; 0 if the request has none of it. The source is for the caller to know.
    ///
    /// - Parameter bytes: what `head` and `fields` were parsed from.
    static func hash(
        _ key: RequestKey, in head: RequestHead, _ fields: borrowing FieldTable, _ bytes: ByteView
    ) -> UInt64 {
        switch key {
        case .none, .source: 0
        case .uri: path(bytes[head.pathAndQuery])
        case .header(let name): header(name, fields, bytes)
        case .cookie(let name): cookie(name, fields, bytes)
        }
    }

    /// The same, of a request whose source is known.
    static func hash(
        _ key: RequestKey, in head: RequestHead, _ fields: borrowing FieldTable, _ bytes: ByteView,
        source: IPAddress
    ) -> UInt64 {
        if case .source = key { return hash(source) }
        return hash(key, in: head, fields, bytes)
    }

    /// - Parameter target: a path with its query, which does not count; a whole target where that matters.
    static func path(_ target: ByteView) -> UInt64 {
        var size = 0
        while size < target.count, target[size] != UInt8(ascii: "?") { size += 1 }
        if size > 0 { return hash(target[0..<size]) }
        // In absolute form the path may be missing, which is the same as "/" (RFC 9110 §4.2.3).
        return unsafe withUnsafeBytes(of: UInt8(ascii: "/")) { unsafe hash(ByteView($0)) }
    }

    private static func header(_ name: ByteView, _ fields: borrowing FieldTable, _ bytes: ByteView) -> UInt64
    {
        for index in 0..<fields.count where bytes[fields[index].name].equalsIgnoringCase(name) {
            return hash(bytes[fields[index].value])
        }
        return 0
    }

    private static func cookie(_ name: ByteView, _ fields: borrowing FieldTable, _ bytes: ByteView) -> UInt64
    {
        CookieField.value(of: name, among: fields, bytes).map { hash($0) } ?? 0
    }

    /// Where a key's hash falls among the shares of a split: apart from where it falls among a cluster's endpoints.
    static func splitPoint(_ hash: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: derive(hash, 0x7370_6C69_74) >> 32)
    }
}
