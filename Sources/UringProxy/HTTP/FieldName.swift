/// The field names this proxy knows: those it acts on, and those that most heads carry. Bytes become one of these
/// once, while the head is parsed; decisions are then taken on a byte.
enum FieldName: UInt8, BitwiseCopyable {
    /// Any name not listed.
    case other = 0
    // What routing, framing and forwarding act on; `concernsThisHop` knows the first and the last.
    case host, connection, contentLength, transferEncoding, te, trailer, upgrade, keepAlive, proxyConnection,
        proxyAuthorization, proxyAuthenticate, proxyAuthenticationInfo, http2Settings, expect, via,
        forwarded, xForwardedFor, xForwardedProto, xForwardedHost, xForwardedPort, xRealIP, maxForwards
    // What others act on.
    case date, server, contentType, contentEncoding, contentLanguage, contentLocation, contentRange,
        contentDisposition, accept, acceptCharset, acceptEncoding, acceptLanguage, acceptRanges, age, allow,
        altSvc, authorization, authenticationInfo, cacheControl, cookie, etag, expires, from, ifMatch,
        ifModifiedSince, ifNoneMatch, ifRange, ifUnmodifiedSince, lastModified, link, location, origin,
        pragma, priority, range, referer, retryAfter, setCookie, strictTransportSecurity, userAgent, vary,
        warning, wwwAuthenticate, accessControlAllowOrigin, accessControlAllowHeaders,
        accessControlAllowMethods, accessControlRequestHeaders, accessControlRequestMethod,
        contentSecurityPolicy, secWebsocketKey, secWebsocketAccept, secWebsocketVersion,
        secWebsocketProtocol, secWebsocketExtensions, secFetchDest, secFetchMode, secFetchSite, secFetchUser,
        upgradeInsecureRequests, xRequestID, xRequestedWith, xContentTypeOptions, xFrameOptions, traceparent,
        tracestate

    /// The id of `name`, the case of letters aside. The size decides first: few names share one.
    static func lookup(_ name: ByteView) -> FieldName {
        switch name.count {
        case 2:
            if name.equalsFolded("te") { return .te }
        case 3:
            if name.equalsFolded("via") { return .via }
            if name.equalsFolded("age") { return .age }
        case 4:
            if name.equalsFolded("host") { return .host }
            if name.equalsFolded("date") { return .date }
            if name.equalsFolded("etag") { return .etag }
            if name.equalsFolded("from") { return .from }
            if name.equalsFolded("link") { return .link }
            if name.equalsFolded("vary") { return .vary }
        case 5:
            if name.equalsFolded("allow") { return .allow }
            if name.equalsFolded("range") { return .range }
        case 6:
            if name.equalsFolded("expect") { return .expect }
            if name.equalsFolded("server") { return .server }
            if name.equalsFolded("accept") { return .accept }
            if name.equalsFolded("cookie") { return .cookie }
            if name.equalsFolded("origin") { return .origin }
            if name.equalsFolded("pragma") { return .pragma }
        case 7:
            if name.equalsFolded("trailer") { return .trailer }
            if name.equalsFolded("upgrade") { return .upgrade }
            if name.equalsFolded("alt-svc") { return .altSvc }
            if name.equalsFolded("expires") { return .expires }
            if name.equalsFolded("referer") { return .referer }
            if name.equalsFolded("warning") { return .warning }
        case 8:
            if name.equalsFolded("if-match") { return .ifMatch }
            if name.equalsFolded("if-range") { return .ifRange }
            if name.equalsFolded("location") { return .location }
            if name.equalsFolded("priority") { return .priority }
        case 9:
            if name.equalsFolded("forwarded") { return .forwarded }
            if name.equalsFolded("x-real-ip") { return .xRealIP }
        case 10:
            if name.equalsFolded("connection") { return .connection }
            if name.equalsFolded("keep-alive") { return .keepAlive }
            if name.equalsFolded("set-cookie") { return .setCookie }
            if name.equalsFolded("user-agent") { return .userAgent }
            if name.equalsFolded("tracestate") { return .tracestate }
        case 11:
            if name.equalsFolded("retry-after") { return .retryAfter }
            if name.equalsFolded("traceparent") { return .traceparent }
        case 12:
            if name.equalsFolded("max-forwards") { return .maxForwards }
            if name.equalsFolded("content-type") { return .contentType }
            if name.equalsFolded("x-request-id") { return .xRequestID }
        case 13:
            if name.equalsFolded("content-range") { return .contentRange }
            if name.equalsFolded("accept-ranges") { return .acceptRanges }
            if name.equalsFolded("authorization") { return .authorization }
            if name.equalsFolded("cache-control") { return .cacheControl }
            if name.equalsFolded("if-none-match") { return .ifNoneMatch }
            if name.equalsFolded("last-modified") { return .lastModified }
        case 14:
            if name.equalsFolded("content-length") { return .contentLength }
            if name.equalsFolded("http2-settings") { return .http2Settings }
            if name.equalsFolded("accept-charset") { return .acceptCharset }
            if name.equalsFolded("sec-fetch-dest") { return .secFetchDest }
            if name.equalsFolded("sec-fetch-mode") { return .secFetchMode }
            if name.equalsFolded("sec-fetch-site") { return .secFetchSite }
            if name.equalsFolded("sec-fetch-user") { return .secFetchUser }
        case 15:
            if name.equalsFolded("x-forwarded-for") { return .xForwardedFor }
            if name.equalsFolded("accept-encoding") { return .acceptEncoding }
            if name.equalsFolded("accept-language") { return .acceptLanguage }
            if name.equalsFolded("x-frame-options") { return .xFrameOptions }
        case 16:
            if name.equalsFolded("proxy-connection") { return .proxyConnection }
            if name.equalsFolded("x-forwarded-host") { return .xForwardedHost }
            if name.equalsFolded("x-forwarded-port") { return .xForwardedPort }
            if name.equalsFolded("content-encoding") { return .contentEncoding }
            if name.equalsFolded("content-language") { return .contentLanguage }
            if name.equalsFolded("content-location") { return .contentLocation }
            if name.equalsFolded("www-authenticate") { return .wwwAuthenticate }
            if name.equalsFolded("x-requested-with") { return .xRequestedWith }
        case 17:
            if name.equalsFolded("transfer-encoding") { return .transferEncoding }
            if name.equalsFolded("x-forwarded-proto") { return .xForwardedProto }
            if name.equalsFolded("if-modified-since") { return .ifModifiedSince }
            if name.equalsFolded("sec-websocket-key") { return .secWebsocketKey }
        case 18:
            if name.equalsFolded("proxy-authenticate") { return .proxyAuthenticate }
        case 19:
            if name.equalsFolded("proxy-authorization") { return .proxyAuthorization }
            if name.equalsFolded("content-disposition") { return .contentDisposition }
            if name.equalsFolded("authentication-info") { return .authenticationInfo }
            if name.equalsFolded("if-unmodified-since") { return .ifUnmodifiedSince }
        case 20:
            if name.equalsFolded("sec-websocket-accept") { return .secWebsocketAccept }
        case 21:
            if name.equalsFolded("sec-websocket-version") { return .secWebsocketVersion }
        case 22:
            if name.equalsFolded("sec-websocket-protocol") { return .secWebsocketProtocol }
            if name.equalsFolded("x-content-type-options") { return .xContentTypeOptions }
        case 23:
            if name.equalsFolded("content-security-policy") { return .contentSecurityPolicy }
        case 24:
            if name.equalsFolded("sec-websocket-extensions") { return .secWebsocketExtensions }
        case 25:
            if name.equalsFolded("proxy-authentication-info") { return .proxyAuthenticationInfo }
            if name.equalsFolded("strict-transport-security") { return .strictTransportSecurity }
            if name.equalsFolded("upgrade-insecure-requests") { return .upgradeInsecureRequests }
        case 27:
            if name.equalsFolded("access-control-allow-origin") { return .accessControlAllowOrigin }
        case 28:
            if name.equalsFolded("access-control-allow-headers") { return .accessControlAllowHeaders }
            if name.equalsFolded("access-control-allow-methods") { return .accessControlAllowMethods }
        case 29:
            if name.equalsFolded("access-control-request-method") { return .accessControlRequestMethod }
        case 30:
            if name.equalsFolded("access-control-request-headers") { return .accessControlRequestHeaders }
        default: break
        }
        return .other
    }

    /// Routing, framing or forwarding may act on it: the first group of names.
    @inline(__always)
    var concernsThisHop: Bool { rawValue &- 1 < FieldName.maxForwards.rawValue }

    /// Fields that end at this hop whatever Connection says (RFC 9110 §7.6.1, §11.7, RFC 9112 §6.1, RFC 7540 §3.2.1).
    var isHopByHop: Bool {
        switch self {
        case .connection, .keepAlive, .proxyConnection, .te, .transferEncoding, .upgrade, .http2Settings,
            .proxyAuthorization, .proxyAuthenticate, .proxyAuthenticationInfo:
            true
        default: false
        }
    }

    /// What a proxy demands of whom it serves, or tells them.
    var isProxyAuthentication: Bool { self == .proxyAuthenticate || self == .proxyAuthenticationInfo }

    /// Whether Connection may name it. A field known to be for the message's final recipient may not: naming it
    /// would make this hop drop what the next one needs to read the message as we did (RFC 9110 §7.6.1). Framing
    /// is refused too: to drop it is our duty, to be told so is somebody's trick.
    var mayBeConnectionOption: Bool {
        switch self {
        case .other, .trailer: true
        case .transferEncoding: false
        default: isHopByHop
        }
    }

    /// Whether a trailer section may carry it (RFC 9110 §6.5.1): nothing that frames, routes, authenticates,
    /// describes the content or asks for a condition, as all of this was needed before the body.
    var mayBeTrailer: Bool {
        switch self {
        case .host, .connection, .contentLength, .transferEncoding, .te, .trailer, .upgrade, .keepAlive,
            .proxyConnection, .proxyAuthorization, .proxyAuthenticate, .proxyAuthenticationInfo,
            .http2Settings,
            .expect, .via, .forwarded, .xForwardedFor, .xForwardedProto, .xForwardedHost, .xForwardedPort,
            .xRealIP,
            .maxForwards, .contentType, .contentEncoding, .contentRange, .authorization, .cacheControl,
            .cookie,
            .setCookie, .age, .date, .expires, .vary, .location, .retryAfter, .warning, .pragma, .range,
            .ifMatch,
            .ifNoneMatch, .ifModifiedSince, .ifUnmodifiedSince, .ifRange, .wwwAuthenticate:
            false
        default: true
        }
    }
}
