/// A response as a test looks at it; chunks are taken off the body.
public struct RawResponse {
    public let status: Int
    /// Up to the empty line, which is not part of it.
    public let head: String
    public var body: [UInt8] = []
    /// The lines after the last chunk.
    public var trailers: [String] = []

    public var text: String { String(decoding: body, as: UTF8.self) }

    init(head: String) throws(RawError) {
        let parts = head.split(separator: " ", maxSplits: 2)
        guard parts.count >= 2, parts[0].hasPrefix("HTTP/1."), let status = Int(parts[1].prefix(3)) else {
            throw .malformedResponse(head)
        }
        self.status = status
        self.head = head
    }

    /// The values of all fields of that name, in order.
    public func values(_ name: String) -> [String] {
        head.split(separator: "\r\n").dropFirst().compactMap { line in
            guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == name.lowercased()
            else {
                return nil
            }
            return String(line[line.index(after: colon)...].drop { $0 == " " })
        }
    }

    /// The value of a field that occurs once.
    public subscript(name: String) -> String? {
        let values = values(name)
        return values.count == 1 ? values[0] : nil
    }
}

extension RawConnection {
    /// Status line and fields alone.
    public func receiveHead() throws(RawError) -> RawResponse {
        let bytes = try receive(through: "\r\n\r\n")
        return try RawResponse(head: String(decoding: bytes.dropLast(4), as: UTF8.self))
    }

    /// A whole response, its end found as RFC 9112 §6.3 says.
    ///
    /// - Parameter isHead: the request was HEAD, so that there is no body.
    public func receiveResponse(isHead: Bool = false) throws(RawError) -> RawResponse {
        var response = try receiveHead()
        if isHead || response.status < 200 || response.status == 204 || response.status == 304 {
            return response
        }
        if response["Transfer-Encoding"] == "chunked" {
            try receiveChunks(into: &response)
        } else if let length = response["Content-Length"] {
            guard let size = Int(length) else { throw .malformedResponse(response.head) }
            response.body = try receive(count: size)
        } else {
            response.body = try receiveToEnd()
        }
        return response
    }

    private func receiveLine() throws(RawError) -> String {
        String(decoding: try receive(through: "\r\n").dropLast(2), as: UTF8.self)
    }

    private func receiveChunks(into response: inout RawResponse) throws(RawError) {
        while true {
            let line = try receiveLine()
            guard let size = Int(line, radix: 16) else { throw .malformedResponse("chunk size \(line)") }
            if size == 0 { break }
            response.body += try receive(count: size)
            let end = try receiveLine()
            guard end.isEmpty else { throw .malformedResponse("chunk ends with \(end)") }
        }
        while true {
            let line = try receiveLine()
            if line.isEmpty { return }
            response.trailers.append(line)
        }
    }
}
