/// What a worker counts. Each has one writer.
enum Counter: Int, CaseIterable {
    case downstreamAccepted, downstreamClosed, acceptFailures, acceptPauses, clientLimitRefusals,
        addressRefusals, rateLimitRefusals, credentialChecks
    case proxyHeadersRead, proxyHeadersRefused, proxySendersRefused
    case tlsHandshakes, tlsResumed, tlsAlerts, tlsIncompatible, tlsMalformed, tlsAbandoned
    case tlsHandshakesExceeded, tlsHandshakesPerClientExceeded
    case tlsCertificatesMissing, tlsCertificatesExpired, tlsCertificatesRevoked, tlsCertificatesUnknown
    case tlsErrors, tlsTruncated, tlsRefused
    case serverNamesFollowed, serverNamesDefaulted
    case tlsKernelSends, tlsKernelVersion, tlsKernelCipher, tlsKernelRenewed, tlsKernelRefused,
        tlsKernelRenewals
    case http2Connections, http2Streams, http2StreamsRefused, http2Resets, http2StreamErrors, http2Errors,
        http2Floods
    case http2UpstreamConnections, http2UpstreamStreams, http2UpstreamRefused, http2UpstreamGoAways,
        http2UpstreamErrors
    case upstreamTLSHandshakes, upstreamTLSResumed, upstreamTLSDistrusted, upstreamTLSAlerts,
        upstreamTLSIncompatible, upstreamTLSMalformed, upstreamTLSAbandoned
    case requests, headsRefused
    case responses1xx, responses2xx, responses3xx, responses4xx, responses5xx
    case localResponses
    case bytesReceivedDownstream, bytesSentDownstream, bytesReceivedUpstream, bytesSentUpstream
    case upstreamOpened, upstreamClosed, upstreamConnectFailures, upstreamReused
    case upstreamLent, upstreamBorrowed, upstreamStale
    case retries
    case retriesDenied, panicChoices
    case hedges, hedgesWon, hedgesCancelled
    case mirrored, mirrorsBusy, mirrorsWithoutBody, mirrorsWithoutEndpoint, mirrorsFailed
    case stickyFollowed, stickySet
    case tracesBegun, tracesContinued, tracesSampled
    case exchangesStarted, exchangesFinished, downstreamAborted, upstreamTruncated
    case tunnelsOpened, tunnelsClosed
    case timeoutsHead, timeoutsTLSHandshake, timeoutsKeepalive, timeoutsBody, timeoutsSend, timeoutsRate,
        timeoutsUpstream,
        timeoutsConnect,
        timeoutsTotal, timeoutsTunnel
    case namesAsked, namesFailed
    case buffersExhausted, receivesStarved, zeroCopySends, zeroCopyCopied
    case bytesSpliced, spliceFallbacks

    /// The name in the Prometheus text, less the prefix `uproxy_`, and what it means.
    var description: (name: StaticString, help: StaticString) {
        switch self {
        case .downstreamAccepted: ("downstream_connections_accepted_total", "Connections accepted.")
        case .downstreamClosed:
            ("downstream_connections_closed_total", "Accepted connections that have ended.")
        case .acceptFailures: ("accept_failures_total", "Accepts that failed, as for lack of descriptors.")
        case .acceptPauses: ("accept_pauses_total", "Times accepting paused at the connection limit.")
        case .clientLimitRefusals:
            ("client_limit_refusals_total", "Connections closed for --limit-connections-per-client.")
        case .addressRefusals:
            ("address_refusals_total", "Connections closed for a listener's allow and deny lists.")
        case .rateLimitRefusals:
            ("rate_limit_refusals_total", "Connections of layer-4 listeners closed for a rate limit.")
        case .credentialChecks:
            ("credential_checks_total", "Credentials that no worker knew and that had to be checked.")
        case .proxyHeadersRead:
            ("proxy_headers_read_total", "Connections that began with a PROXY protocol header.")
        case .proxyHeadersRefused:
            (
                "proxy_headers_refused_total",
                "Connections closed for what stood in the place of a PROXY protocol header."
            )
        case .proxySendersRefused:
            ("proxy_senders_refused_total", "Connections closed for --proxy-protocol-from.")
        case .tlsHandshakes: ("tls_handshakes_total", "TLS handshakes done.")
        case .tlsResumed:
            ("tls_handshakes_resumed_total", "Of them, those that went on with an earlier session.")
        case .tlsAlerts:
            ("tls_handshakes_alerted_total", "TLS handshakes that the client ended with an alert.")
        case .tlsIncompatible:
            (
                "tls_handshakes_incompatible_total",
                "TLS handshakes without a version, cipher, group or protocol that both sides take."
            )
        case .tlsMalformed:
            (
                "tls_handshakes_malformed_total",
                "Connections refused for what stood in the place of a TLS handshake."
            )
        case .tlsAbandoned:
            ("tls_handshakes_abandoned_total", "TLS handshakes in which the client closed the connection.")
        case .tlsHandshakesExceeded:
            ("tls_handshakes_exceeded_total", "Connections closed for --limit-handshakes.")
        case .tlsHandshakesPerClientExceeded:
            (
                "tls_handshakes_per_client_exceeded_total",
                "Connections closed for --limit-handshakes-per-client."
            )
        case .tlsCertificatesMissing:
            (
                "tls_client_certificates_missing_total",
                "TLS handshakes of clients that showed no certificate, though they have to."
            )
        case .tlsCertificatesExpired:
            (
                "tls_client_certificates_expired_total",
                "TLS handshakes of clients whose certificate is not valid yet, or no longer."
            )
        case .tlsCertificatesRevoked:
            (
                "tls_client_certificates_revoked_total",
                "TLS handshakes of clients whose certificate was revoked."
            )
        case .tlsCertificatesUnknown:
            (
                "tls_client_certificates_unknown_total",
                "TLS handshakes of clients whose certificate nobody who is trusted has signed for this."
            )
        case .tlsErrors:
            (
                "tls_errors_total",
                "TLS connections that ended with an alert, or with bytes that could not be decrypted."
            )
        case .tlsRefused:
            (
                "tls_connections_refused_total",
                "Connections closed before their TLS handshake, as sessions have all the memory that they may have."
            )
        case .tlsTruncated:
            (
                "tls_truncated_total",
                "Messages and tunnels whose TLS connection ended without saying so (close_notify)."
            )
        case .serverNamesFollowed:
            (
                "server_names_followed_total",
                "Connections that went undecrypted to the cluster of the server name that they asked for."
            )
        case .serverNamesDefaulted:
            (
                "server_names_defaulted_total",
                "Connections that no server name sent elsewhere, and that went to the listener's cluster."
            )
        case .tlsKernelSends:
            (
                "tls_kernel_sends_total",
                "TLS connections of either side for which the kernel took over encrypting."
            )
        case .tlsKernelVersion:
            ("tls_kernel_fallbacks_version_total", "Those for which it did not, as they are not of TLS 1.3.")
        case .tlsKernelCipher:
            ("tls_kernel_fallbacks_cipher_total", "Those for which it did not, for want of their cipher.")
        case .tlsKernelRenewed:
            (
                "tls_kernel_fallbacks_renewed_total",
                "Those for which it did not, as they have renewed their keys (KeyUpdate)."
            )
        case .tlsKernelRefused:
            ("tls_kernel_fallbacks_refused_total", "Those for which it would not.")
        case .tlsKernelRenewals:
            (
                "tls_kernel_renewals_refused_total",
                "TLS connections ended, as their peer asked for new keys when the kernel had the old ones."
            )
        case .upstreamTLSHandshakes: ("upstream_tls_handshakes_total", "TLS handshakes done with endpoints.")
        case .upstreamTLSResumed:
            ("upstream_tls_handshakes_resumed_total", "Of them, those that went on with an earlier session.")
        case .upstreamTLSDistrusted:
            (
                "upstream_tls_handshakes_untrusted_total",
                "TLS handshakes given up for the certificate of the endpoint."
            )
        case .upstreamTLSAlerts:
            (
                "upstream_tls_handshakes_alerted_total",
                "TLS handshakes that the endpoint ended with an alert."
            )
        case .upstreamTLSIncompatible:
            (
                "upstream_tls_handshakes_incompatible_total",
                "TLS handshakes in which the endpoint chose a version or cipher that is not taken here."
            )
        case .upstreamTLSMalformed:
            (
                "upstream_tls_handshakes_malformed_total",
                "TLS handshakes given up for what the endpoint sent, such as plain HTTP."
            )
        case .upstreamTLSAbandoned:
            (
                "upstream_tls_handshakes_abandoned_total",
                "TLS handshakes in which the endpoint closed the connection."
            )
        case .http2Connections: ("http2_connections_total", "Connections that spoke HTTP/2.")
        case .http2Streams:
            ("http2_streams_total", "Their streams: requests, and what took the place of one.")
        case .http2StreamsRefused:
            ("http2_streams_refused_total", "Streams refused for want of a place: REFUSED_STREAM.")
        case .http2Resets: ("http2_streams_reset_total", "Streams that the client reset.")
        case .http2StreamErrors:
            ("http2_stream_errors_total", "Streams that were reset for what the client sent on them.")
        case .http2Errors:
            ("http2_connection_errors_total", "HTTP/2 connections that ended for what the client sent.")
        case .http2UpstreamConnections:
            ("http2_upstream_connections_total", "Connections to upstreams that spoke HTTP/2.")
        case .http2UpstreamStreams: ("http2_upstream_streams_total", "Their streams: requests.")
        case .http2UpstreamRefused:
            (
                "http2_upstream_streams_refused_total",
                "Streams that the upstream did nothing for, by RST_STREAM or GOAWAY: their requests went elsewhere."
            )
        case .http2UpstreamGoAways:
            (
                "http2_upstream_goaways_total",
                "Connections to upstreams that they announced the end of: GOAWAY."
            )
        case .http2UpstreamErrors:
            (
                "http2_upstream_errors_total",
                "What upstreams sent against HTTP/2: it ended a stream, or a connection."
            )
        case .http2Floods:
            (
                "http2_floods_total",
                "Of them, those whose client sent too many frames that carry nothing of a message."
            )
        case .requests: ("requests_total", "Request heads read.")
        case .headsRefused:
            ("heads_refused_total", "Request heads refused as malformed, ambiguous or too large.")
        case .responses1xx: ("responses_1xx_total", "Interim responses sent downstream.")
        case .responses2xx: ("responses_2xx_total", "Responses of class 2xx sent downstream.")
        case .responses3xx: ("responses_3xx_total", "Responses of class 3xx sent downstream.")
        case .responses4xx: ("responses_4xx_total", "Responses of class 4xx sent downstream.")
        case .responses5xx: ("responses_5xx_total", "Responses of class 5xx sent downstream.")
        case .localResponses: ("local_responses_total", "Responses that the proxy itself gave.")
        case .bytesReceivedDownstream: ("downstream_received_bytes_total", "Bytes received from downstream.")
        case .bytesSentDownstream: ("downstream_sent_bytes_total", "Bytes sent downstream.")
        case .bytesReceivedUpstream: ("upstream_received_bytes_total", "Bytes received from upstream.")
        case .bytesSentUpstream: ("upstream_sent_bytes_total", "Bytes sent upstream.")
        case .upstreamOpened: ("upstream_connections_opened_total", "Upstream connections opened.")
        case .upstreamClosed: ("upstream_connections_closed_total", "Upstream connections that have ended.")
        case .upstreamConnectFailures: ("upstream_connect_failures_total", "Connection attempts that failed.")
        case .upstreamReused:
            ("upstream_connections_reused_total", "Requests sent on a connection used before.")
        case .upstreamLent: ("upstream_connections_lent_total", "Idle connections offered to other workers.")
        case .upstreamBorrowed:
            ("upstream_connections_borrowed_total", "Idle connections taken from other workers.")
        case .upstreamStale:
            ("upstream_connections_stale_total", "Reused connections that turned out to be closed.")
        case .retries: ("retries_total", "Requests sent again on another connection.")
        case .retriesDenied: ("retries_denied_total", "Requests not sent again for want of a budget.")
        case .panicChoices:
            (
                "panic_requests_total",
                "Requests whose cluster had so few healthy endpoints that all were used."
            )
        case .hedges: ("hedges_total", "Requests sent to a second endpoint for want of an answer.")
        case .hedgesWon: ("hedges_won_total", "Of them, those that were answered first there.")
        case .hedgesCancelled:
            (
                "hedges_cancelled_total",
                "Of them, those that were given up: the first endpoint answered, or the request ended."
            )
        case .mirrored: ("mirrored_requests_total", "Copies of requests that a mirror has answered.")
        case .mirrorsBusy:
            (
                "mirrored_skipped_busy_total",
                "Requests not mirrored for limits.mirrored, a limit of the cluster, or want of memory."
            )
        case .mirrorsWithoutBody:
            (
                "mirrored_skipped_body_total",
                "Requests not mirrored, for their body had not come with the head."
            )
        case .mirrorsWithoutEndpoint:
            (
                "mirrored_skipped_no_endpoint_total",
                "Requests not mirrored, for no endpoint was healthy, or none was found."
            )
        case .mirrorsFailed: ("mirrored_failures_total", "Copies of requests that were not answered.")
        case .stickyFollowed:
            ("sticky_followed_total", "Requests that went to the endpoint that their sticky cookie named.")
        case .stickySet: ("sticky_set_total", "Responses that set a sticky cookie.")
        case .tracesBegun:
            (
                "traces_begun_total",
                "Requests that a trace begins with: they named none that is valid, or their naming is ignored."
            )
        case .tracesContinued: ("traces_continued_total", "Requests of traces that clients have begun.")
        case .tracesSampled: ("traces_sampled_total", "Of both, those whose traces are sampled.")
        case .exchangesStarted: ("exchanges_started_total", "Exchanges begun, mirrored ones among them.")
        case .exchangesFinished: ("exchanges_finished_total", "Exchanges ended, whatever the outcome.")
        case .downstreamAborted: ("downstream_aborts_total", "Exchanges ended by downstream.")
        case .upstreamTruncated: ("upstream_truncated_total", "Responses that upstream cut short.")
        case .tunnelsOpened: ("tunnels_opened_total", "Tunnels opened (CONNECT and Upgrade).")
        case .tunnelsClosed: ("tunnels_closed_total", "Tunnels that have ended.")
        case .timeoutsHead: ("timeouts_head_total", "--timeout-head")
        case .timeoutsTLSHandshake: ("timeouts_tls_handshake_total", "--timeout-tls-handshake")
        case .timeoutsKeepalive: ("timeouts_keepalive_total", "--timeout-keepalive")
        case .timeoutsBody: ("timeouts_body_total", "--timeout-body-idle")
        case .timeoutsSend: ("timeouts_send_total", "--timeout-send-idle")
        case .timeoutsRate: ("timeouts_rate_total", "--limit-rate-min")
        case .timeoutsUpstream: ("timeouts_upstream_total", "--timeout-upstream")
        case .timeoutsConnect: ("timeouts_connect_total", "--timeout-connect")
        case .timeoutsTotal: ("timeouts_exchange_total", "--timeout-total")
        case .timeoutsTunnel: ("timeouts_tunnel_total", "--timeout-tunnel-idle")
        case .namesAsked: ("names_asked_total", "Host names given to the resolver.")
        case .namesFailed: ("names_failed_total", "Host names that did not resolve.")
        case .buffersExhausted: ("buffers_exhausted_total", "Leases refused for lack of memory.")
        case .receivesStarved: ("receives_starved_total", "Receives that waited for a slice.")
        case .zeroCopySends: ("zero_copy_sends_total", "Sends without a copy.")
        case .bytesSpliced: ("spliced_bytes_total", "Bytes received into pipes instead of memory.")
        case .spliceFallbacks:
            (
                "splice_fallbacks_total",
                "Long streams copied for want of a pipe, or because splice was refused."
            )
        case .zeroCopyCopied: ("zero_copy_copied_total", "Zero-copy sends that the kernel copied after all.")
        }
    }
}
