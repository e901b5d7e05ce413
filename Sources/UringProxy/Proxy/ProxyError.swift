/// Why an exchange failed: what downstream is answered, what is counted.
enum ProxyError: UInt8, BitwiseCopyable, CaseIterable {
    case none
    // Downstream's doing.
    case notAProxyRequest, notAnOriginRequest, schemeUnsupported, connectNotAllowed, traceNotAllowed
    case bodyTooLarge, destinationDenied, addressDenied, rateLimited, unauthorized, proxyUnauthorized
    case loopDetected, noRoute, badPath, hostMissing, routeUndecided, rewrittenTooLong, changesTooLarge
    case headTimeout, bodyTimeout, bodyTooSlow, tlsExpected
    case serverNameUnknown, serverNameMissing
    case clientHelloMissing, clientHelloMalformed, clientHelloTooLarge
    // Upstream's.
    case nameNotFound, nameTimeout, nameFailed
    case connectRefused, connectTimeout, connectFailed
    case upstreamClosed, upstreamReset, upstreamTruncated, upstreamTimeout, upstreamSendTimeout
    case upstreamBadResponse, upstreamUnexpectedUpgrade
    case upstreamTLSUntrusted, upstreamTLSOutdated, upstreamTLSWrongHost, upstreamTLSFailed, upstreamTLSBroken
    case upstreamNotHTTP2, upgradeUnsupported
    case noEndpoint, noHealthyEndpoint, circuitOpen, loadShed, queueTimeout
    case totalTimeout
    // Ours.
    case outOfMemory, outOfExchanges, outOfDescriptors, outOfConnections, resolverBusy
    case authenticationBusy, draining, listenerGone, listenerFull

    /// RFC 9110 §15, RFC 6585 §5 (431), RFC 5842 §7.2 (508).
    var status: UInt16 {
        switch self {
        case .none, .notAProxyRequest, .notAnOriginRequest, .badPath, .hostMissing, .routeUndecided,
            .tlsExpected, .serverNameUnknown, .serverNameMissing, .clientHelloMissing, .clientHelloMalformed,
            .clientHelloTooLarge:
            400
        case .schemeUnsupported, .upgradeUnsupported: 501
        case .connectNotAllowed, .traceNotAllowed: 405
        case .bodyTooLarge: 413
        case .destinationDenied, .addressDenied: 403
        case .noRoute: 404
        case .rewrittenTooLong: 414
        case .changesTooLarge: 431
        case .rateLimited: 429
        case .unauthorized: 401
        case .proxyUnauthorized: 407
        case .loopDetected: 508
        case .headTimeout, .bodyTimeout, .bodyTooSlow: 408
        case .nameNotFound, .nameFailed, .connectRefused, .connectFailed, .upstreamClosed, .upstreamReset,
            .upstreamTruncated, .upstreamBadResponse, .upstreamUnexpectedUpgrade, .upstreamTLSUntrusted,
            .upstreamTLSOutdated, .upstreamTLSWrongHost, .upstreamTLSFailed, .upstreamTLSBroken,
            .upstreamNotHTTP2:
            502
        case .nameTimeout, .connectTimeout, .upstreamTimeout, .upstreamSendTimeout, .totalTimeout: 504
        case .noEndpoint, .noHealthyEndpoint, .circuitOpen, .loadShed, .queueTimeout, .outOfMemory,
            .outOfExchanges, .outOfDescriptors, .outOfConnections, .resolverBusy, .authenticationBusy,
            .draining, .listenerGone, .listenerFull:
            503
        }
    }

    /// Whether it speaks against the endpoint that was asked.
    var isEndpointFailure: Bool {
        switch self {
        case .nameNotFound, .nameTimeout, .nameFailed, .connectRefused, .connectTimeout, .connectFailed,
            .upstreamClosed, .upstreamReset, .upstreamTruncated, .upstreamTimeout, .upstreamSendTimeout,
            .upstreamBadResponse, .upstreamUnexpectedUpgrade, .upstreamTLSUntrusted, .upstreamTLSOutdated,
            .upstreamTLSWrongHost, .upstreamTLSFailed, .upstreamTLSBroken, .upstreamNotHTTP2:
            true
        default: false
        }
    }

    /// A sentence for the answer's body and the log; it names the option that changes the outcome, if one does.
    var reason: StaticString {
        switch self {
        case .none: "no error"
        case .notAProxyRequest:
            "this is a forward proxy: the request target must be an absolute URI (configure it as the client's proxy)"
        case .notAnOriginRequest: "the request target has no form that this server answers"
        case .schemeUnsupported: "only http:// is forwarded; use CONNECT for anything else"
        case .connectNotAllowed: "CONNECT is answered by forward listeners only (--forward)"
        case .traceNotAllowed: "TRACE is not answered here"
        case .bodyTooLarge: "the request body is larger than the limit; see --limit-body"
        case .destinationDenied: "the destination is not allowed; see --allow-destinations"
        case .addressDenied: "your address is not let in here"
        case .rateLimited: "too many requests; wait as long as Retry-After says"
        case .unauthorized, .proxyUnauthorized: "credentials are needed that are known here"
        case .loopDetected: "the request came through this proxy before (Via)"
        case .noRoute: "no route takes this request"
        case .badPath: "the path can be read in more than one way, or has a bad percent-encoding"
        case .hostMissing: "the answer depends on the host, and the request names none"
        case .routeUndecided: "a route's regular expression could not be decided within its limits"
        case .headTimeout: "the request head took too long; see --timeout-head"
        case .bodyTimeout: "the request body paused too long; see --timeout-body-idle"
        case .tlsExpected: "this port speaks TLS: ask for https://"
        case .serverNameUnknown: "no cluster is for the server name that was asked for"
        case .serverNameMissing: "no server name was asked for"
        case .clientHelloMissing: "this port passes TLS on, and TLS alone"
        case .clientHelloMalformed: "the ClientHello breaks the rules of TLS"
        case .clientHelloTooLarge: "the ClientHello is larger than 16 KiB"
        case .bodyTooSlow: "the request body came too slowly; see --limit-rate-min"
        case .rewrittenTooLong: "the target that the route makes of this one is too long; see --limit-uri"
        case .changesTooLarge: "the fields that the route makes of this request's are too large"
        case .nameNotFound: "the host name has no address"
        case .nameTimeout: "resolving the host name took too long"
        case .nameFailed: "the host name could not be resolved"
        case .connectRefused: "the upstream refused the connection"
        case .connectTimeout: "connecting upstream took too long; see --timeout-connect"
        case .connectFailed: "the upstream could not be connected"
        case .upstreamClosed: "the upstream closed the connection before it answered"
        case .upstreamReset: "the upstream reset the connection before it answered"
        case .upstreamTruncated: "the upstream ended the connection in the middle of the response"
        case .upstreamTimeout: "the upstream took too long to answer; see --timeout-upstream"
        case .upstreamSendTimeout: "the upstream stopped taking the request; see --timeout-send-idle"
        case .upstreamBadResponse: "the upstream's response is not valid HTTP/1"
        case .upstreamUnexpectedUpgrade: "the upstream switched protocols without being asked"
        case .upstreamTLSUntrusted: "the upstream's certificate leads to no authority that is trusted here"
        case .upstreamTLSOutdated: "the upstream's certificate has expired, or is not valid yet"
        case .upstreamTLSWrongHost: "the upstream's certificate is for another host"
        case .upstreamTLSFailed: "the TLS handshake with the upstream failed"
        case .upstreamTLSBroken:
            "the upstream ended TLS with an alert, or sent what cannot be decrypted"
        case .upstreamNotHTTP2: "the upstream does not speak HTTP/2; see the cluster's http2"
        case .upgradeUnsupported: "the upstream takes no WebSockets over HTTP/2 (RFC 8441)"
        case .noEndpoint: "no endpoint of the cluster has been found yet"
        case .noHealthyEndpoint: "no endpoint of the cluster is healthy"
        case .circuitOpen: "the cluster has as much to do as it may; see its limits"
        case .loadShed: "the cluster answers too slowly to be asked more at once; see its adaptive limit"
        case .queueTimeout: "the cluster had as much to do as it may for too long; see its limits"
        case .totalTimeout: "the exchange took too long; see --timeout-total"
        case .outOfMemory: "out of buffers; see --memory"
        case .outOfExchanges: "too many requests at once; see --memory"
        case .outOfDescriptors: "out of descriptors; raise the limit (ulimit -n)"
        case .outOfConnections: "too many connections; see --limit-connections"
        case .resolverBusy: "too many host names are being resolved"
        case .authenticationBusy: "too many credentials are being checked"
        case .draining: "the proxy is shutting down"
        case .listenerGone: "where this request would have gone was taken out of the configuration"
        case .listenerFull: "too many connections here; see the listener's max_connections"
        }
    }

    /// The label of the failure in metrics.
    var label: StaticString {
        switch self {
        case .none: "none"
        case .notAProxyRequest: "not_a_proxy_request"
        case .notAnOriginRequest: "not_an_origin_request"
        case .schemeUnsupported: "scheme_unsupported"
        case .connectNotAllowed: "connect_not_allowed"
        case .traceNotAllowed: "trace_not_allowed"
        case .bodyTooLarge: "body_too_large"
        case .destinationDenied: "destination_denied"
        case .addressDenied: "address_denied"
        case .rateLimited: "rate_limited"
        case .unauthorized: "unauthorized"
        case .proxyUnauthorized: "proxy_unauthorized"
        case .loopDetected: "loop_detected"
        case .noRoute: "no_route"
        case .badPath: "bad_path"
        case .hostMissing: "host_missing"
        case .routeUndecided: "route_undecided"
        case .rewrittenTooLong: "rewritten_too_long"
        case .changesTooLarge: "changes_too_large"
        case .headTimeout: "head_timeout"
        case .bodyTimeout: "body_timeout"
        case .bodyTooSlow: "body_too_slow"
        case .tlsExpected: "tls_expected"
        case .serverNameUnknown: "server_name_unknown"
        case .serverNameMissing: "server_name_missing"
        case .clientHelloMissing: "client_hello_missing"
        case .clientHelloMalformed: "client_hello_malformed"
        case .clientHelloTooLarge: "client_hello_too_large"
        case .nameNotFound: "name_not_found"
        case .nameTimeout: "name_timeout"
        case .nameFailed: "name_failed"
        case .connectRefused: "connect_refused"
        case .connectTimeout: "connect_timeout"
        case .connectFailed: "connect_failed"
        case .upstreamClosed: "upstream_closed"
        case .upstreamReset: "upstream_reset"
        case .upstreamTruncated: "upstream_truncated"
        case .upstreamTimeout: "upstream_timeout"
        case .upstreamSendTimeout: "upstream_send_timeout"
        case .upstreamBadResponse: "upstream_bad_response"
        case .upstreamUnexpectedUpgrade: "upstream_unexpected_upgrade"
        case .upstreamTLSUntrusted: "upstream_tls_untrusted"
        case .upstreamTLSOutdated: "upstream_tls_outdated"
        case .upstreamTLSWrongHost: "upstream_tls_wrong_host"
        case .upstreamTLSFailed: "upstream_tls_failed"
        case .upstreamTLSBroken: "upstream_tls_broken"
        case .upstreamNotHTTP2: "upstream_not_http2"
        case .upgradeUnsupported: "upgrade_unsupported"
        case .noEndpoint: "no_endpoint"
        case .noHealthyEndpoint: "no_healthy_endpoint"
        case .circuitOpen: "circuit_open"
        case .loadShed: "load_shed"
        case .queueTimeout: "queue_timeout"
        case .totalTimeout: "total_timeout"
        case .outOfMemory: "out_of_memory"
        case .outOfExchanges: "out_of_exchanges"
        case .outOfDescriptors: "out_of_descriptors"
        case .outOfConnections: "out_of_connections"
        case .resolverBusy: "resolver_busy"
        case .authenticationBusy: "authentication_busy"
        case .draining: "draining"
        case .listenerGone: "listener_gone"
        case .listenerFull: "listener_full"
        }
    }
}
