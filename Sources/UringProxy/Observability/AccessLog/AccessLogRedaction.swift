/// Takes secrets out of records before anybody writes them, whatever the format.
///
/// In the target, the referer, and fields that hold a URL, the values of query parameters of some names; fields of some names as a
/// whole; and always what stands before the "@" of a URL's authority.
struct AccessLogRedaction: Sendable {
    /// Fields that hold secrets wherever they stand.
    static let usualFields = ["Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie"]
    private static var mark: StaticString { "[redacted]" }

    private let query: [[UInt8]]
    /// In lower case.
    private let fields: [[UInt8]]

    /// - Parameters:
    ///   - query: names of parameters, as they are without percent-encoding.
    ///   - fields: names in any case, on top of `usualFields`.
    ///   - shown: fields that are no secrets here, though usually they are.
    init(query: [String] = [], fields: [String] = [], shown: [String] = []) {
        self.query = query.map { Array($0.utf8) }
        let shown = Set(shown.map { $0.lowercased() })
        self.fields = Set((Self.usualFields + fields).map { $0.lowercased() }).subtracting(shown).sorted()
            .map { Array($0.utf8) }
    }

    /// Whether the record has something to hide: then `scratch` holds the record to use in its place, and nothing else.
    func apply(_ view: AccessRecordView, into scratch: inout [UInt8]) -> Bool {
        guard hasSecrets(view.texts) else { return false }
        let fixed = MemoryLayout<AccessRecord>.size
        scratch.removeAll(keepingCapacity: true)
        // A mark may be longer than what it hides: the parameter "a=b&" of four bytes becomes thirteen.
        let size = min(AccessRecord.sizeLimit, fixed + (4 * view.texts.count + 64) & ~7)
        scratch.append(addingCapacity: size) { span in
            unsafe span.withUnsafeMutableBufferPointer { buffer, count in
                guard let base = buffer.baseAddress else { return }
                var writer = unsafe AccessTextWriter(base: base + fixed, capacity: size - fixed)
                var reader = AccessTextReader(view.texts)
                while let text = reader.next() {
                    let start = writer.count
                    write(text.kind, text.text, isShortened: text.isShortened, to: &writer)
                    if text.isShortened, writer.count > start { unsafe base[fixed + start + 1] = 1 }
                }
                writer.pad()
                var record = view.record
                record.size = UInt32(fixed + writer.count)
                if writer.isTruncated { record.flags.insert(.isTruncated) }
                unsafe UnsafeMutableRawPointer(base).storeBytes(of: record, as: AccessRecord.self)
                count = fixed + writer.count
            }
        }
        return true
    }

    private func hasSecrets(_ texts: ByteView) -> Bool {
        var reader = AccessTextReader(texts)
        while let text = reader.next() {
            switch place(of: text.kind, text.text) {
            case .none: continue
            case .whole(let name): if text.text.count > name + 1 { return true }
            case .url(let start, let isReference):
                var secrets = secrets(text.text.dropFirst(start), isReference, text.isShortened)
                if secrets.next() != nil { return true }
            }
        }
        return false
    }

    private func write(
        _ kind: UInt8, _ text: ByteView, isShortened: Bool, to writer: inout AccessTextWriter
    ) {
        let mark = ByteView(Self.mark)
        switch place(of: kind, text) {
        case .none: writer.append(rawKind: kind, text)
        case .whole(let name):
            let isEmpty = text.count <= name + 1
            writer.append(rawKind: kind, name: text[0..<name], isEmpty ? .empty : mark)
        case .url(let start, let isReference):
            unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 4 * text.count + 64) { buffer in
                var cleaned = unsafe ByteWriter(base: buffer.baseAddress!, capacity: buffer.count)
                cleaned.append(text[0..<start])
                let url = text.dropFirst(start)
                var secrets = secrets(url, isReference, isShortened)
                var written = 0
                while let secret = secrets.next() {
                    cleaned.append(url[written..<secret.lowerBound])
                    cleaned.append(mark)
                    written = secret.upperBound
                }
                cleaned.append(url.dropFirst(written))
                assert(!cleaned.overflowed)
                writer.append(rawKind: kind, cleaned.written)
            }
        }
    }

    /// Where secrets may stand in a text.
    private enum Place {
        case none
        /// All behind a name of so many bytes and a colon.
        case whole(name: Int)
        /// Parts of what begins at `start`.
        case url(start: Int, isReference: Bool)
    }

    private func place(of kind: UInt8, _ text: ByteView) -> Place {
        switch AccessText(rawValue: kind) {
        case .target, .host: return .url(start: 0, isReference: false)
        case .referer: return .url(start: 0, isReference: true)
        case .requestField, .responseField:
            guard let (name, value) = AccessLogFields.parts(text) else { return .none }
            if isSecret(field: name) { return .whole(name: name.count) }
            let isURL =
                name.equalsIgnoringCase("referer") || name.equalsIgnoringCase("location")
                || name.equalsIgnoringCase("content-location")
            return isURL ? .url(start: text.count - value.count, isReference: true) : .none
        case .method, .userAgent, .listener, .route, .cluster, .endpoint, .user, .failure, .country, .region,
            .autonomousSystem, .trace, .span, .traceState, nil:
            return .none
        }
    }

    private func isSecret(field name: ByteView) -> Bool {
        fields.contains { field in
            unsafe field.withUnsafeBytes { unsafe ByteView($0).equalsIgnoringCase(name) }
        }
    }

    private func secrets(_ url: ByteView, _ isReference: Bool, _ isShortened: Bool) -> URLSecrets {
        URLSecrets(url, names: query, isReference: isReference, isShortened: isShortened)
    }
}

extension AccessTextWriter {
    /// A text of a kind that a later version may have added.
    fileprivate mutating func append(rawKind: UInt8, name: ByteView = .empty, _ text: ByteView) {
        // What is not known is left out: nobody could say whether it is a secret.
        if let kind = AccessText(rawValue: rawKind) { append(kind, name: name, text) }
    }
}

/// The parts of a URL that are secrets, from its beginning to its end. Where readers of URLs differ, the longer part is one.
private struct URLSecrets {
    private let url: ByteView
    private let names: [[UInt8]]
    private var userInfo: Range<Int>?
    private var index: Int
    /// Behind the first "?": a path's parameters end at a slash, a query's do not.
    private var isInQuery = false

    /// - Parameters:
    ///   - isReference: two slashes at the beginning are an authority's (RFC 3986 §4.2), and not a path's.
    ///   - isShortened: the end is not there.
    init(_ url: ByteView, names: [[UInt8]], isReference: Bool, isShortened: Bool) {
        self.url = url
        self.names = names
        let authority = Self.authority(url, isReference: isReference)
        index = authority.upperBound
        if let at = authority.reversed().first(where: { url[$0] == UInt8(ascii: "@") }) {
            if at > authority.lowerBound { userInfo = authority.lowerBound..<at }
        } else if isShortened, authority.upperBound == url.count, !authority.isEmpty {
            // It may have had an "@".
            userInfo = authority
        }
    }

    /// Of absolute forms, and of the authority form of CONNECT; empty in paths.
    private static func authority(_ url: ByteView, isReference: Bool) -> Range<Int> {
        var start = 0
        if url.hasPrefix("//") {
            guard isReference else { return 0..<0 }
            start = 2
        } else {
            if url.isEmpty || url[0] == UInt8(ascii: "/") { return 0..<0 }
            while start < url.count, url[start].isSchemeByte { start += 1 }
            start = url.dropFirst(start).hasPrefix("://") ? start + 3 : 0
        }
        var end = start
        while end < url.count, !url[end].endsAuthority { end += 1 }
        return start..<end
    }

    mutating func next() -> Range<Int>? {
        if let found = userInfo {
            userInfo = nil
            return found
        }
        guard !names.isEmpty else { return nil }
        while index < url.count {
            let byte = url[index]
            index += 1
            if byte == UInt8(ascii: "?") { isInQuery = true }
            guard byte.beginsParameter else { continue }
            guard let value = secretValue(), !value.isEmpty else { continue }
            index = value.upperBound
            return value
        }
        return nil
    }

    /// What stands behind the name that begins at `index`, if that is a secret's.
    private func secretValue() -> Range<Int>? {
        var end = index
        while end < url.count, url[end] != UInt8(ascii: "="), !url[end].beginsParameter { end += 1 }
        guard end < url.count, url[end] == UInt8(ascii: "=") else { return nil }
        let name = url[index..<end]
        guard names.contains(where: { name.equalsDecoded($0) }) else { return nil }
        var last = end + 1
        while last < url.count, url[last] != UInt8(ascii: "&") {
            if !isInQuery, url[last] == UInt8(ascii: "/") || url[last] == UInt8(ascii: "?") { break }
            last += 1
        }
        return end + 1..<last
    }
}

extension UInt8 {
    /// RFC 3986 §3.1.
    fileprivate var isSchemeByte: Bool {
        asciiLowercased &- 0x61 < 26 || self &- 0x30 < 10 || self == 0x2B || self == 0x2D || self == 0x2E
    }
    /// "/", "?" or "#": one bit for each code below 64.
    @inline(__always)
    fileprivate var endsAuthority: Bool {
        self < 64 && 0x8000_8008_0000_0000 as UInt64 >> UInt64(self) & 1 == 1
    }
    /// "?" or "&"; ";" as some queries and paths have it (RFC 3986 §3.3); "#" before a fragment.
    @inline(__always)
    fileprivate var beginsParameter: Bool {
        self < 64 && 0x8800_0048_0000_0000 as UInt64 >> UInt64(self) & 1 == 1
    }
}

extension ByteView {
    /// Whether the bytes are those of `name` once percent-encoding is undone, and "+" is a space.
    fileprivate func equalsDecoded(_ name: [UInt8]) -> Bool {
        var index = 0
        for byte in name {
            guard index < count else { return false }
            var ours = self[index]
            index += 1
            if ours == UInt8(ascii: "+") {
                ours = 0x20
            } else if ours == UInt8(ascii: "%"), index + 1 < count, let high = self[index].hexValue,
                let low = self[index + 1].hexValue
            {
                ours = high << 4 | low
                index += 2
            }
            if ours != byte { return false }
        }
        return index == count
    }
}
