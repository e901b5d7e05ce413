/// Reads a request head (RFC 9112 §2 to §6), strictly: what two readers could read in two ways is refused.
struct RequestParser {
    /// - Parameters:
    ///   - bytes: from the head's first byte on; what follows the head may be there too and is not looked at.
    ///   - fields: emptied first; holds the head's field lines afterwards.
    ///   - head: meaningful only after `complete`.
    static func parse(
        _ bytes: ByteView, limits: HeadLimits, fields: inout FieldTable, head: inout RequestHead
    ) -> ParseStatus {
        do throws(HeadError) {
            return try parseHead(bytes, limits, &fields, &head) ? .complete : .incomplete
        } catch {
            return .invalid(error)
        }
    }

    @inline(__always)
    private static func parseHead(
        _ bytes: ByteView, _ limits: HeadLimits, _ fields: inout FieldTable, _ head: inout RequestHead
    ) throws(HeadError) -> Bool {
        fields.removeAll()
        guard let start = try HeadStart.find(bytes) else { return false }
        head = RequestHead()
        let lines = HeadLines(
            bytes, from: start, hasStartLine: true, limit: limits.fields, fields: &fields)
        guard lines.startLineEnd >= 0 else {
            if case .refused(let error) = lines.how { throw error }
            if bytes.count &- start > limits.requestLineBytes &+ 1 { throw .targetTooLong }
            guard bytes.count < limits.headBytes else { throw .headTooLarge }
            return false
        }
        try parseRequestLine(bytes, start..<lines.startLineEnd, limits, &head)

        var section = FieldSection()
        try section.parse(bytes, fields: &fields)
        switch lines.how {
        case .emptyLine: break
        case .missing:
            guard bytes.count < limits.headBytes else { throw .headTooLarge }
            return false
        case .refused(let error): throw error
        }
        head.size = lines.end &+ 2
        guard head.size <= limits.headBytes else { throw .headTooLarge }
        try interpret(section, bytes, fields, &head)
        return true
    }

    // MARK: Request line

    /// RFC 9112 §3: method, one space, target, one space, version; nothing else.
    @inline(__always)
    private static func parseRequestLine(
        _ bytes: ByteView, _ line: Range<Int>, _ limits: HeadLimits, _ head: inout RequestHead
    ) throws(HeadError) {
        let text = bytes[line]
        // Most requests are a GET.
        let isGet = text.hasPrefix("GET ")
        let methodSize = isGet ? 3 : text.run(of: .token)
        guard methodSize > 0, methodSize < text.count, text[methodSize] == UInt8(ascii: " ") else {
            throw .invalidMethod
        }
        guard methodSize <= HeadLimits.methodBytes else { throw .methodTooLong }
        head.methodRange = ByteRange(line.lowerBound..<line.lowerBound &+ methodSize)
        head.method = isGet ? .get : Method.lookup(text[0..<methodSize])

        let targetStart = methodSize &+ 1
        var targetEnd = targetStart &+ text.dropFirst(targetStart).pathRun
        if targetEnd < text.count, text[targetEnd] == UInt8(ascii: "?") {
            targetEnd &+= text.dropFirst(targetEnd).run(of: .query)
        }
        guard targetEnd &- targetStart <= limits.uriBytes else { throw .targetTooLong }
        guard targetEnd > targetStart else {
            throw targetStart < text.count && text[targetStart] != UInt8(ascii: " ")
                ? .invalidTarget : .malformedRequestLine
        }
        guard targetEnd < text.count else { throw .http09 }
        guard text[targetEnd] == UInt8(ascii: " ") else { throw .invalidTarget }
        head.target = ByteRange(line.lowerBound &+ targetStart..<line.lowerBound &+ targetEnd)

        let version = text.dropFirst(targetEnd &+ 1)
        if version.equals("HTTP/1.1") {
            head.version = .http11
        } else if version.equals("HTTP/1.0") {
            head.version = .http10
        } else {
            throw versionRefusal(version, head, bytes)
        }
        try parseTarget(bytes, &head)
    }

    @inline(never)
    private static func versionRefusal(_ version: ByteView, _ head: RequestHead, _ bytes: ByteView)
        -> HeadError
    {
        for index in 0..<version.count where version[index].isSpaceOrTab { return .malformedRequestLine }
        guard version.count == 8, version[0..<5].equals("HTTP/"), version[5] &- 0x30 < 10,
            version[6] == UInt8(ascii: "."), version[7] &- 0x30 < 10
        else { return .invalidVersion }
        // RFC 9113 §3.4: the preface was made to fail here.
        if version.equals("HTTP/2.0"), bytes[head.methodRange].equals("PRI") { return .http2Preface }
        return .unsupportedVersion
    }

    /// RFC 9112 §3.2
    @inline(__always)
    private static func parseTarget(_ bytes: ByteView, _ head: inout RequestHead) throws(HeadError) {
        let target = head.target.range
        if head.method == .connect {
            try parseAuthorityForm(bytes, target, &head)
        } else if bytes[target.lowerBound] == UInt8(ascii: "/") {
            head.form = .origin
            head.pathAndQuery = head.target
        } else if bytes[target].equals("*") {
            guard head.method == .options else { throw .targetFormNotAllowed }
            head.form = .asterisk
            head.pathAndQuery = head.target
        } else {
            try parseAbsoluteForm(bytes, target, &head)
        }
    }

    /// RFC 9112 §3.2.3, RFC 9110 §9.3.6: host and port, neither optional.
    @inline(never)
    private static func parseAuthorityForm(
        _ bytes: ByteView, _ target: Range<Int>, _ head: inout RequestHead
    ) throws(HeadError) {
        let first = bytes[target.lowerBound]
        guard first != UInt8(ascii: "/"), !bytes[target].equals("*") else { throw .targetFormNotAllowed }
        let authority = try Authority.parse(bytes, target)
        guard authority.port != nil else { throw .invalidPort }
        head.form = .authority
        head.authority = authority
    }

    /// RFC 9112 §3.2.2: scheme, "://", authority, path, query.
    @inline(never)
    private static func parseAbsoluteForm(
        _ bytes: ByteView, _ target: Range<Int>, _ head: inout RequestHead
    ) throws(HeadError) {
        let text = bytes[target]
        let authorityStart: Int
        if text.hasPrefix("http://") {
            head.scheme = .http
            authorityStart = 7
        } else {
            authorityStart = try parseScheme(text, &head)
        }
        // A host ends before either; what follows it is a port at most.
        var authorityEnd = authorityStart &+ text.hostRun(in: authorityStart..<text.count)
        while authorityEnd < text.count, text[authorityEnd] != UInt8(ascii: "/"),
            text[authorityEnd] != UInt8(ascii: "?")
        { authorityEnd &+= 1 }
        head.authority = try Authority.parse(
            bytes, target.lowerBound &+ authorityStart..<target.lowerBound &+ authorityEnd)
        head.form = .absolute
        head.pathAndQuery = ByteRange(target.lowerBound &+ authorityEnd..<target.upperBound)
    }

    /// RFC 3986 §3.1
    ///
    /// - Returns: where the authority begins.
    private static func parseScheme(_ text: ByteView, _ head: inout RequestHead) throws(HeadError) -> Int {
        var size = 0
        while size < text.count, isSchemeByte(text[size]) { size &+= 1 }
        let first = text[0].asciiLowercased
        guard size > 0, first >= UInt8(ascii: "a"), first <= UInt8(ascii: "z"),
            text.dropFirst(size).hasPrefix("://")
        else { throw .invalidTarget }
        let scheme = text[0..<size]
        head.scheme = scheme.equalsFolded("http") ? .http : scheme.equalsFolded("https") ? .https : .other
        return size &+ 3
    }

    private static func isSchemeByte(_ byte: UInt8) -> Bool {
        byte.asciiLowercased &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10
            || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }

    // MARK: Fields

    @inline(__always)
    private static func interpret(
        _ section: FieldSection, _ bytes: ByteView, _ fields: borrowing FieldTable, _ head: inout RequestHead
    ) throws(HeadError) {
        try interpretHost(section, bytes, fields, &head)

        if section.isChunked {
            // RFC 9112 §6.1: a 1.0 peer does not know it, so whoever sent it did not mean it.
            guard head.version == .http11 else { throw .transferEncodingInHTTP10 }
            head.framing = .chunked
        } else if let length = section.contentLength {
            head.framing = .length(length)
        }

        head.wantsClose = section.connectionCloses
        head.hasVia = section.via >= 0
        switch head.version {
        case .http11:
            head.keepAlive = !section.connectionCloses
            head.upgrade = try section.upgradeLine(bytes, fields: fields)
            head.teTrailers = section.asksForTrailers(bytes, fields: fields)
            if section.expect >= 0 {
                // RFC 9110 §10.1.1. Two lines are one list, and no list is known.
                let value = bytes[fields[section.expect].value]
                guard !section.expectIsRepeated, value.equalsFolded("100-continue") else {
                    throw .expectationFailed
                }
                head.expectsContinue = true
            }
        case .http10:
            head.keepAlive = section.connectionKeepsAlive && !section.connectionCloses
        }
        if section.maxForwards >= 0, head.method == .options || head.method == .trace {
            guard !section.maxForwardsIsRepeated else { throw .invalidMaxForwards }
            head.maxForwards = try parseMaxForwards(bytes[fields[section.maxForwards].value])
        }
    }

    /// RFC 9112 §3.2: checked even where the target decides.
    @inline(__always)
    private static func interpretHost(
        _ section: FieldSection, _ bytes: ByteView, _ fields: borrowing FieldTable, _ head: inout RequestHead
    ) throws(HeadError) {
        guard section.host >= 0 else {
            guard head.version == .http10 else { throw .missingHost }
            return
        }
        guard !section.hostIsRepeated else { throw .duplicateHost }
        let value = fields[section.host].value
        guard !value.isEmpty else { return }
        let authority: Authority
        do throws(HeadError) {
            authority = try Authority.parse(bytes, value.range)
        } catch {
            throw .invalidHost
        }
        if head.authority == nil { head.authority = authority }
    }

    /// RFC 9110 §7.6.2. Larger than any chain of proxies is as good as the largest.
    @inline(never)
    private static func parseMaxForwards(_ value: ByteView) throws(HeadError) -> UInt32 {
        guard value.count > 0 else { throw .invalidMaxForwards }
        var result: UInt32 = 0
        for index in 0..<value.count {
            let digit = value[index] &- UInt8(ascii: "0")
            guard digit < 10, index < 9 else { throw .invalidMaxForwards }
            result = result &* 10 &+ UInt32(digit)
        }
        return result
    }
}
