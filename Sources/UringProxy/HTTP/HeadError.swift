/// Why a head, a chunk or a trailer section was refused, as the log and downstream will be told.
enum HeadError: UInt8, Error, Equatable, BitwiseCopyable {
    // Size.
    case headTooLarge, tooManyFields, targetTooLong
    // Bytes.
    case controlByte, bareLineFeed, bareCarriageReturn, looksLikeTLS
    // Request line.
    case malformedRequestLine, invalidMethod, methodTooLong, invalidTarget, targetFormNotAllowed, userinfo
    case invalidAuthority, invalidPort, invalidVersion, unsupportedVersion, http2Preface, http09
    // Status line.
    case malformedStatusLine, invalidStatus
    // Field lines.
    case leadingWhitespace, obsoleteFolding, missingColon, emptyFieldName, spaceBeforeColon, invalidFieldName
    // Fields.
    case missingHost, duplicateHost, invalidHost
    case invalidContentLength, duplicateContentLength, contentLengthWithTransferEncoding
    case invalidTransferEncoding, duplicateTransferEncoding, unknownTransferCoding, transferEncodingInHTTP10
    case transferEncodingWithoutBody
    case invalidConnectionOption, connectionNamesEndToEndField, tooManyConnectionOptions
    case invalidUpgrade, expectationFailed, invalidMaxForwards
    // Chunks and trailers.
    case invalidChunkSize, chunkSizeOverflow, invalidChunkExtension, chunkExtensionTooLong, chunkNotTerminated
    case forbiddenTrailer

    /// What downstream is answered when its own message was refused. A refused response is always a 502.
    var status: UInt16 {
        switch self {
        case .headTooLarge, .tooManyFields: 431  // RFC 6585 §5
        case .targetTooLong: 414
        case .methodTooLong, .unknownTransferCoding: 501  // RFC 9112 §3, §6.1
        case .unsupportedVersion, .http2Preface, .http09: 505
        case .expectationFailed: 417
        case .controlByte, .bareLineFeed, .bareCarriageReturn, .looksLikeTLS, .malformedRequestLine,
            .invalidMethod,
            .invalidTarget, .targetFormNotAllowed, .userinfo, .invalidAuthority, .invalidPort,
            .invalidVersion,
            .leadingWhitespace, .obsoleteFolding, .missingColon, .emptyFieldName, .spaceBeforeColon,
            .invalidFieldName, .missingHost, .duplicateHost, .invalidHost, .invalidContentLength,
            .duplicateContentLength, .contentLengthWithTransferEncoding, .invalidTransferEncoding,
            .duplicateTransferEncoding, .transferEncodingInHTTP10, .invalidConnectionOption,
            .connectionNamesEndToEndField, .tooManyConnectionOptions, .invalidUpgrade, .invalidMaxForwards,
            .invalidChunkSize, .chunkSizeOverflow, .invalidChunkExtension, .chunkExtensionTooLong,
            .chunkNotTerminated, .forbiddenTrailer:
            400
        case .malformedStatusLine, .invalidStatus, .transferEncodingWithoutBody: HeadError.responseStatus
        }
    }

    /// RFC 9110 §15.6.3: what downstream is answered when the upstream's message was refused, for whatever reason.
    static var responseStatus: UInt16 { 502 }

    /// A sentence for the log and the answer's body; it names the option that moves the limit, where there is one.
    var reason: StaticString {
        switch self {
        case .headTooLarge: "the head is larger than the limit; see --limit-head"
        case .tooManyFields: "the head has more field lines than the limit; see --limit-fields"
        case .targetTooLong: "the request target is longer than the limit; see --limit-uri"
        case .controlByte: "the head contains a control byte"
        case .bareLineFeed: "a line ends with LF alone, not CR LF"
        case .bareCarriageReturn: "the head contains a CR that no LF follows"
        case .looksLikeTLS: "this looks like TLS, on a port that speaks plain HTTP"
        case .malformedRequestLine:
            "the request line is not a method, a target and a version with one space between"
        case .invalidMethod: "the method is not a token"
        case .methodTooLong: "the method is longer than any known"
        case .invalidTarget:
            "the request target contains a byte that must be percent-encoded, or has no known form"
        case .targetFormNotAllowed: "the form of the request target does not fit the method"
        case .userinfo: "the target's authority contains user information"
        case .invalidAuthority: "the target's authority is not a host name or address with an optional port"
        case .invalidPort: "the port is not a number from 1 to 65535, or is missing"
        case .invalidVersion: "the protocol version is malformed"
        case .unsupportedVersion: "the protocol version is neither HTTP/1.0 nor HTTP/1.1"
        case .http2Preface: "HTTP/2 with prior knowledge, on a port that speaks HTTP/1"
        case .http09: "HTTP/0.9: the request line has no version"
        case .malformedStatusLine: "the status line is not a version, a status and a reason"
        case .invalidStatus: "the status is not a number from 100 to 599"
        case .leadingWhitespace: "white space stands between start line and first field"
        case .obsoleteFolding: "a field value is folded over several lines"
        case .missingColon: "a field line has no colon"
        case .emptyFieldName: "a field name is empty"
        case .spaceBeforeColon: "white space stands between a field name and its colon"
        case .invalidFieldName: "a field name is not a token"
        case .missingHost: "Host is missing"
        case .duplicateHost: "there is more than one Host"
        case .invalidHost: "Host is not a host name or address with an optional port"
        case .invalidContentLength: "Content-Length is not one decimal number, or is too large"
        case .duplicateContentLength: "there is more than one Content-Length"
        case .contentLengthWithTransferEncoding: "there are both Content-Length and Transfer-Encoding"
        case .invalidTransferEncoding: "Transfer-Encoding is not exactly \"chunked\""
        case .duplicateTransferEncoding: "there is more than one Transfer-Encoding"
        case .unknownTransferCoding: "Transfer-Encoding names a coding other than \"chunked\""
        case .transferEncodingInHTTP10: "Transfer-Encoding in an HTTP/1.0 message"
        case .transferEncodingWithoutBody: "Transfer-Encoding in a response that has no body"
        case .invalidConnectionOption: "Connection contains something that is not a token"
        case .connectionNamesEndToEndField: "Connection names a field that is not for this hop"
        case .tooManyConnectionOptions: "Connection has more than 32 options"
        case .invalidUpgrade: "Upgrade is not a list of protocols"
        case .expectationFailed: "the only known expectation is 100-continue"
        case .invalidMaxForwards: "Max-Forwards is not one decimal number"
        case .invalidChunkSize: "a chunk size is not 1 to 16 hexadecimal digits"
        case .chunkSizeOverflow: "a chunk size is too large"
        case .invalidChunkExtension: "a chunk extension is malformed"
        case .chunkExtensionTooLong: "chunk extensions are longer than 256 bytes, or long throughout the body"
        case .chunkNotTerminated: "no CR LF follows a chunk's data"
        case .forbiddenTrailer: "the trailer section contains a field that belongs in the head"
        }
    }
}
