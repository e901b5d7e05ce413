/// Configuration files that cannot work, and all that has to be said about each: place, key, what is wrong, what to do.
enum BadFiles {
    struct Case: Sendable {
        var text: String
        var problems: [String]

        init(_ text: String, _ problems: String...) {
            self.text = text
            self.problems = problems
        }
    }

    static let all: [Case] =
        syntax + keys + listeners + serverNames + tls + upstreamTLS + upstreamHTTP2 + clusters + discoveries
        + health
        + sticky + routes
        + rewrites + edits
        + policies + access + geo
        + trust + accessLog + tracing
        + values + environment

    // MARK: - YAML

    static let syntax: [Case] = [
        Case("", "f.yaml:1:1: the file is empty; write at least one key, or leave the file out"),
        Case(
            "# a comment alone\n",
            "f.yaml:1:1: the file is empty; write at least one key, or leave the file out"),
        Case(
            "---\n",
            "f.yaml:2:1: nothing stands where keys are expected; begin with a key such as 'listeners:'"),
        Case(
            "listeners",
            "f.yaml:1:1: 'listeners' stands where keys are expected; begin with a key such as 'listeners:'"),
        Case(
            "- a\n",
            "f.yaml:1:1: a list stands where keys are expected; begin with a key such as 'listeners:'"),
        Case(
            "timeouts:\n\thead: 1s\n",
            "f.yaml:2:1: this is no YAML: while scanning for the next token (line 2), found character that cannot start any token; indent with spaces, never with tabs, and put text that begins with a special character into quotes"
        ),
        Case(
            "timeouts:\n  head: 1s\n body_idle: 2s\n",
            "f.yaml:3:2: this is no YAML: while parsing a block mapping (line 1), did not find expected key; see the line before as well: indentation, a colon or a quote is often what is missing"
        ),
        Case(
            "fields: {via: 'a\n",
            "f.yaml:2:1: this is no YAML: while scanning a quoted scalar (line 1), found unexpected end of stream; see the line before as well: indentation, a colon or a quote is often what is missing"
        ),
        Case(
            "timeouts: {head: 1s\n",
            "f.yaml:2:1: this is no YAML: while parsing a flow mapping (line 1), did not find expected ',' or '}'; see the line before as well: indentation, a colon or a quote is often what is missing"
        ),
        Case(
            "timeouts:\n  head 1s\n",
            "f.yaml:2:3: timeouts: 'head 1s' stands where keys are expected; write some of head, tls_handshake, body_idle, send_idle, keepalive, connect, upstream, total, tunnel_idle, drain, drain_delay, upgrade"
        ),
        Case(
            "timeouts: {head: 1s}\n---\ntimeouts: {head: 2s}\n",
            "f.yaml:2:1: a second document begins; write one document; several files are joined by 'include'"),
        Case(
            "timeouts:\n  head: 1s\n  head: 2s\n",
            "f.yaml:3:3: the key 'head' is here a second time, first in line 2; keep one of them"),
        Case(
            "engine: {}\nengine: {}\n",
            "f.yaml:2:1: the key 'engine' is here a second time, first in line 1; keep one of them"),
        Case(
            "timeouts: &t {head: 1s}\nlimits:\n  <<: *t\n",
            "f.yaml:3:3: merge keys ('<<') are not supported; name the whole value by an alias (*name), or write it out"
        ),
        Case(
            "timeouts: *t\n",
            "f.yaml:1:11: the anchor '&t' is not defined, or not yet; define it before it is used"),
        Case(
            "timeouts: !!map {head: 1s}\n", "f.yaml:1:11: tags ('!…') have no meaning here; leave the tag out"
        ),
        Case(
            "[a, b]: c\n",
            "f.yaml:1:1: a key is a word, not a list or a mapping; quote it if it begins with '[', '{' or '*'"
        ),
        Case(
            "a: " + String(repeating: "[", count: 70) + String(repeating: "]", count: 70),
            "f.yaml:1:67: more than 64 levels of nesting; no setting is that deep"),
        Case(
            "a: \u{1}\n",
            "f.yaml:1:1: byte 3 is no text: control characters are not allowed; write the file in UTF-8, without control characters"
        ),
    ]

    // MARK: - Keys

    static let keys: [Case] = [
        Case("timeout: {head: 1s}\n", "f.yaml:1:1: timeout: there is no such key; did you mean 'timeouts'?"),
        Case("listener: []\n", "f.yaml:1:1: listener: there is no such key; did you mean 'listeners'?"),
        Case("Limits: {}\n", "f.yaml:1:1: Limits: there is no such key; did you mean 'limits'?"),
        Case(
            "server: {}\n",
            "f.yaml:1:1: server: there is no such key; known here: listeners, routes, route_defaults, clusters, zone, address_sets, geo, rate_limits, authentication, trust, admin, access_log, tracing, flight_recorder, engine, timeouts, limits, pools, forward, dns, fields"
        ),
        Case(
            "timeouts:\n  haed: 1s\n", "f.yaml:2:3: timeouts.haed: there is no such key; did you mean 'head'?"
        ),
        Case(
            "timeouts:\n  body-idle: 1s\n",
            "f.yaml:2:3: timeouts.body-idle: there is no such key; did you mean 'body_idle'?"),
        Case(
            "timeouts:\n  bodyidle: 1s\n",
            "f.yaml:2:3: timeouts.bodyidle: there is no such key; did you mean 'body_idle'?"),
        Case(
            "timeouts:\n  read: 1s\n",
            "f.yaml:2:3: timeouts.read: there is no such key; did you mean 'head'?"),
        Case(
            "pools: {size: 3}\n",
            "f.yaml:1:9: pools.size: there is no such key; known here: idle, idle_timeout, lend"),
        Case(
            "engine: {thread: 2}\n",
            "f.yaml:1:10: engine.thread: there is no such key; did you mean 'threads'?"),
        Case(
            "limits: {boddy: 1MiB}\n", "f.yaml:1:10: limits.boddy: there is no such key; did you mean 'body'?"
        ),
        Case("limits: {url: 1KiB}\n", "f.yaml:1:10: limits.url: there is no such key; did you mean 'uri'?"),
        Case(
            "limits: 3\n",
            "f.yaml:1:9: limits: '3' stands where keys are expected; write some of head, fields, uri, body, rate_min, connections, connections_per_client, handshakes, handshakes_per_client, requests_per_connection, http2_streams, mirrored"
        ),
        Case(
            "pools:\n",
            "f.yaml:1:7: pools: nothing stands where keys are expected; write some of idle, idle_timeout, lend"
        ),
        Case(
            "pools: [1]\n",
            "f.yaml:1:8: pools: a list stands where keys are expected; write some of idle, idle_timeout, lend"
        ),
        Case(
            "timeouts: {haed: 1s, conect: 2s}\nlimts: {}\n",
            "f.yaml:1:12: timeouts.haed: there is no such key; did you mean 'head'?",
            "f.yaml:1:22: timeouts.conect: there is no such key; did you mean 'connect'?",
            "f.yaml:2:1: limts: there is no such key; did you mean 'limits'?"),
    ]

    // MARK: - Listeners

    private static let cluster = "clusters: {app: {endpoints: ['127.0.0.1:9000']}}\n"

    /// A listener with this TLS.
    private static func speaking(_ tls: String, _ problems: String...) -> Case {
        var bad = Case(cluster + "listeners:\n  - address: '127.0.0.1:443'\n    tls: \(tls)\n")
        bad.problems = problems
        return bad
    }

    /// A tcp listener with these rules.
    private static func passing(_ sni: String, _ more: String = "", _ problems: String...) -> Case {
        var bad = Case(
            cluster + "listeners:\n  - address: '127.0.0.1:443'\n    sni: \(sni)\n    role: tcp\n\(more)")
        bad.problems = problems
        return bad
    }

    static let serverNames: [Case] = [
        passing(
            "a.example", "",
            "f.yaml:4:10: listeners[0].sni: 'a.example' stands where keys are expected; write some of names, cluster"
        ),
        passing(
            "[{cluster: app}]", "",
            "f.yaml:4:11: listeners[0].sni[0]: the key 'names' is missing; add it: server names: example.org, or *.example.org for every name below it."
        ),
        passing(
            "[{names: a.example}]", "",
            "f.yaml:4:11: listeners[0].sni[0]: the key 'cluster' is missing; add it: the cluster that they go to."
        ),
        passing(
            "[{names: a.example, cluster: ap}]", "",
            "f.yaml:4:39: listeners[0].sni[0].cluster: there is no cluster 'ap'; did you mean 'app'?"),
        passing(
            "[{names: [a.example, '*', ~a, 192.0.2.1, 'a b', A.Example.], cluster: app}]", "",
            "f.yaml:4:31: listeners[0].sni[0].names[1]: '*' would be any name; name the listener's 'cluster:' for the rest",
            "f.yaml:4:36: listeners[0].sni[0].names[2]: '~a' is a regular expression; write names, or *.NAME for all below one",
            "f.yaml:4:40: listeners[0].sni[0].names[3]: '192.0.2.1' is an address; clients ask for names alone (RFC 6066)",
            "f.yaml:4:51: listeners[0].sni[0].names[4]: 'a b' is no server name; write a name (an international one as xn--…), or *.NAME for all below it",
            "f.yaml:4:58: listeners[0].sni[0].names[5]: 'A.Example.' stands in listeners[0].sni[0].names[0] as well; keep one of them"
        ),
        passing(
            "[{names: ['*.a'], cluster: app}, {names: '*.A', cluster: app}]", "",
            "f.yaml:4:51: listeners[0].sni[1].names[0]: '*.A' stands in listeners[0].sni[0].names[0] as well; keep one of them"
        ),
        passing(
            "[{names: [], cluster: app}]", "",
            "f.yaml:4:19: listeners[0].sni[0].names: there is no name; write at least one"),
        passing(
            "[{names: a, cluster: app}]", "    routes: site\n",
            "f.yaml:6:13: listeners[0].routes: routes are for requests, and nobody looks for any here; name a cluster instead"
        ),
        Case(
            cluster
                + "listeners:\n  - {address: '127.0.0.1:443', cluster: app, sni: [{names: a, cluster: app}]}\n",
            "f.yaml:3:51: listeners[0].sni: only the connections of a tcp listener are passed on by their server name; make the role tcp, or let routes choose by 'match: {host: …}'"
        ),
        passing(
            "[{names: a, cluster: app}]",
            "    tls: {certificates: [{cert: /nowhere/a.pem, key: /nowhere/a.key}]}\n",
            "f.yaml:4:10: listeners[0].sni: TLS ends here, so that no ClientHello is passed on; leave 'tls:' out to pass TLS on, or make the role reverse and let routes choose",
            "f.yaml:6:33: listeners[0].tls.certificates[0].cert: '/nowhere/a.pem' does not exist; check the path"
        ),
    ]

    private static let certificates = "listeners[0].tls.certificates"

    static let tls: [Case] = [
        speaking(
            "on",
            "f.yaml:4:10: listeners[0].tls: 'on' stands where keys are expected; write some of certificates, min_version, ciphers, cipher_suites, client_certificates, session_tickets, ticket_keys, ticket_rotation"
        ),
        speaking(
            "{}",
            "f.yaml:4:10: \(certificates): there is no certificate; name one with 'cert:' and 'key:'"),
        speaking(
            "{certificates: [{cert: /nowhere/a.pem}]}",
            "f.yaml:4:26: \(certificates)[0]: the key 'key' is missing; add it: a file with its private key in PEM, without a passphrase."
        ),
        speaking(
            "{certificates: [{cert: /nowhere/a.pem, key: /nowhere/a.key}], ciphers: HIGH}",
            "f.yaml:4:33: \(certificates)[0].cert: '/nowhere/a.pem' does not exist; check the path"),
        speaking(
            "{certificates: [{cert: /dev/null, key: /proc/version}], min_version: 1.3, ciphers: HIGH}",
            "f.yaml:4:93: listeners[0].tls.ciphers: they are those of TLS 1.2, which is not spoken here; leave it out, or write 'cipher_suites:' for those of TLS 1.3",
            "f.yaml:4:33: \(certificates)[0].cert: '/dev/null' holds no certificate in PEM; give the certificate, and those that lead to its root behind it, as PEM: -----BEGIN CERTIFICATE-----"
        ),
        speaking(
            "{certificates: [{cert: /proc/version, key: /proc}], ciphers: 'ECDHE-RSA-AES128-GCM-SHA256:NONSENSE'}",
            "f.yaml:4:71: listeners[0].tls.ciphers: there is no cipher 'NONSENSE' of TLS 1.2; see 'openssl ciphers -tls1_2 -s -v'; those of TLS 1.3 stand in 'cipher_suites:'",
            "f.yaml:4:53: \(certificates)[0].key: '/proc' is a directory; check the path"),
        speaking(
            "{min_version: 1.1}",
            "f.yaml:4:24: listeners[0].tls.min_version: '1.1' is no choice here; did you mean '1.2'? write 1.2 or 1.3"
        ),
        speaking(
            "{certificates: [], client_certificates: {mode: off}}",
            "f.yaml:4:57: listeners[0].tls.client_certificates.mode: 'off' is no choice here; write required or optional",
            "f.yaml:4:50: listeners[0].tls.client_certificates: the key 'ca' is missing; add it: a file with the certificates of who signs them, in PEM."
        ),
        speaking(
            "{client_certificates: {ca: /dev/null, crl: /nowhere/crl, depth: 101}, ticket_keys: /dev/null, session_tickets: off}",
            "f.yaml:4:10: \(certificates): there is no certificate; name one with 'cert:' and 'key:'",
            "f.yaml:4:93: listeners[0].tls.ticket_keys: there are no tickets; leave it out, or 'session_tickets: off'",
            "f.yaml:4:74: listeners[0].tls.client_certificates.depth: 101 is outside 0 to 100; give how many certificates may stand between a client's and one of 'ca'",
            "f.yaml:4:53: listeners[0].tls.client_certificates.crl: '/nowhere/crl' does not exist; check the path"
        ),
        speaking(
            "{client_certificates: {ca: /dev/null}, ticket_keys: [/dev/null]}",
            "f.yaml:4:10: \(certificates): there is no certificate; name one with 'cert:' and 'key:'",
            "f.yaml:4:37: listeners[0].tls.client_certificates.ca: '/dev/null' holds no certificate in PEM; give the certificates of who signs those of clients, as PEM",
            "f.yaml:4:63: listeners[0].tls.ticket_keys[0]: '/dev/null' holds 0 bytes, and a key has 48 or 80; make one with 'openssl rand 80'"
        ),
        speaking(
            "{ticket_rotation: 5m, certificates: [{cert: /proc/version, key: /proc/version, ocsp: /nowhere/ocsp}]}",
            "f.yaml:4:28: listeners[0].tls.ticket_rotation: 300s is outside 1h to 7d; give some hours, such as 8h",
            "f.yaml:4:95: \(certificates)[0].ocsp: '/nowhere/ocsp' does not exist; check the path"
        ),
        speaking(
            "{ticket_rotation: 5h, ticket_keys: [/nowhere/key]}",
            "f.yaml:4:10: \(certificates): there is no certificate; name one with 'cert:' and 'key:'",
            "f.yaml:4:28: listeners[0].tls.ticket_rotation: keys come from files, which their owner replaces; leave it out",
            "f.yaml:4:46: listeners[0].tls.ticket_keys[0]: '/nowhere/key' does not exist; check the path"
        ),
        Case(
            cluster
                + "listeners: [{address: '127.0.0.1:443', routes: s}]\nroutes: {s: [{match: {client_certificate: on}, cluster: app, request: {set: {A: '{client_cert:serial}'}}}]}\n",
            "f.yaml:3:43: routes.s[0].match.client_certificate: no listener with these routes asks clients for certificates; add 'tls: {client_certificates: {ca: FILE}}' to one, or leave this out",
            "f.yaml:3:81: routes.s[0].request.set.A: no listener with these routes asks clients for certificates; add 'tls: {client_certificates: {ca: FILE}}' to one, or leave this out"
        ),
        Case(
            cluster + "listeners: [{address: '127.0.0.1:443'}]\nlimits: {handshakes: -1}\n",
            "f.yaml:3:22: limits.handshakes: -1 is outside 0 to 1073741824; 0 switches it off"
        ),
        Case(
            cluster + "listeners: [{address: '127.0.0.1:443'}]\ntimeouts: {tls_handshake: 100us}\n",
            "f.yaml:3:27: timeouts.tls_handshake: 100us is less than a millisecond, the step of the timer wheel; give 1ms or more, or 0 to switch it off"
        ),
    ]

    static let listeners: [Case] = [
        Case("listeners:\n", "f.yaml:1:11: listeners: there is nothing; write a list, each item after a '-'"),
        Case(
            "listeners: {address: '127.0.0.1:80'}\n",
            "f.yaml:1:12: listeners: a mapping stands where a list is expected; begin each item with '- '"),
        Case(
            "listeners: ['127.0.0.1:80']\n",
            "f.yaml:1:13: listeners[0]: '127.0.0.1:80' stands where keys are expected; write some of address, role, cluster, sni, routes, parent, max_connections, http2, tls, allow, deny, rate_limit, authentication"
        ),
        Case(
            cluster + "listeners:\n  - role: reverse\n",
            "f.yaml:3:5: listeners[0]: the key 'address' is missing; add it: where to listen: 127.0.0.1:8081, [::]:80 or unix:PATH."
        ),
        Case(
            cluster + "listeners:\n  - address: 8081\n",
            "f.yaml:3:14: listeners[0].address: '8081' is a port alone; write 127.0.0.1:8081 or [::]:8081"),
        Case(
            cluster + "listeners:\n  - address: :8081\n",
            "f.yaml:3:14: listeners[0].address: ':8081' has no host; write 0.0.0.0:8081 or [::]:8081 for all addresses"
        ),
        Case(
            cluster + "listeners:\n  - address: localhost:8081\n",
            "f.yaml:3:14: listeners[0].address: 'localhost:8081' names a host; write 127.0.0.1:8081 or [::1]:8081"
        ),
        Case(
            cluster + "listeners:\n  - address: http://127.0.0.1:80\n",
            "f.yaml:3:14: listeners[0].address: 'http://127.0.0.1:80' is a URL; write HOST:PORT alone"),
        Case(
            cluster + "listeners:\n  - address: 127.0.0.1:99999\n",
            "f.yaml:3:14: listeners[0].address: '127.0.0.1:99999' has no port from 0 to 65535 after its last colon; write an address to listen on, such as 127.0.0.1:8081 or unix:/run/uproxy.sock"
        ),
        Case(
            cluster + "listeners:\n  - address: ::1:80\n",
            "f.yaml:3:14: listeners[0].address: '::1:80' is ambiguous; an IPv6 address goes into brackets, as in [::1]:8080"
        ),
        Case(
            cluster + "listeners:\n  - address: 'unix:'\n",
            "f.yaml:3:14: listeners[0].address: 'unix:' has no path; write unix:/run/app.sock"),
        Case(
            cluster + "listeners:\n  - address:\n",
            "f.yaml:3:13: listeners[0].address: nothing stands here; write an address to listen on, such as 127.0.0.1:8081 or unix:/run/uproxy.sock"
        ),
        Case(
            cluster + "listeners:\n  - address: [a]\n",
            "f.yaml:3:14: listeners[0].address: a list stands here; write an address to listen on, such as 127.0.0.1:8081 or unix:/run/uproxy.sock"
        ),
        Case(
            cluster + "listeners:\n  - {address: '127.0.0.1:80', role: revers}\n",
            "f.yaml:3:37: listeners[0].role: 'revers' is no choice here; did you mean 'reverse'? write reverse, forward or tcp"
        ),
        Case(
            cluster + "listeners:\n  - {address: '127.0.0.1:80', role: udp}\n",
            "f.yaml:3:37: listeners[0].role: 'udp' is no choice here; write reverse, forward or tcp"),
        Case(
            cluster + "listeners:\n  - {address: '127.0.0.1:80', cluster: app, max_connections: -1}\n",
            "f.yaml:3:62: listeners[0].max_connections: -1 is outside 0 to 10000000; 0 switches it off"),
        Case(
            cluster + "listeners:\n  - {address: '127.0.0.1:80', cluster: app, max_connections: many}\n",
            "f.yaml:3:62: listeners[0].max_connections: 'many' is no whole number; write it in digits alone"),
        Case(
            cluster + "listeners:\n  - {address: '127.0.0.1:80', cluster: app, max_connection: 5}\n",
            "f.yaml:3:45: listeners[0].max_connection: there is no such key; did you mean 'max_connections'?"),
        Case(
            cluster + "listeners:\n  - {address: '127.0.0.1:80', cluster: ap}\n",
            "f.yaml:3:40: listeners[0].cluster: there is no cluster 'ap'; did you mean 'app'?"),
        Case(
            "listeners:\n  - {address: '127.0.0.1:80', cluster: app}\n",
            "f.yaml:2:40: listeners[0].cluster: there is no cluster 'app'; define it below 'clusters'"),
        Case(
            "listeners:\n  - address: 127.0.0.1:80\n",
            "f.yaml:2:5: listeners[0]: it has nowhere to send requests to; define a cluster with its endpoints below 'clusters'"
        ),
        Case(
            "clusters: {a: {endpoints: 'h:1'}, b: {endpoints: 'h:2'}}\nlisteners:\n  - address: 127.0.0.1:80\n",
            "f.yaml:3:5: listeners[0]: it has nowhere to send requests to; add 'routes:', or 'cluster:' and one of a, b"
        ),
        Case(
            cluster + "listeners:\n  - {address: '127.0.0.1:80', role: forward, cluster: app}\n",
            "f.yaml:3:55: listeners[0].cluster: a forward proxy's requests say themselves where to go; leave it out, or make the role reverse"
        ),
        Case(
            cluster + "listeners:\n  - address: 127.0.0.1:80\n  - address: 0.0.0.0:80\n",
            "f.yaml:4:14: listeners[1].address: '0.0.0.0:80' is taken by listeners[0].address '127.0.0.1:80'; give each listener a port of its own"
        ),
        Case(
            "admin: {address: '127.0.0.1:80'}\nlisteners:\n  - {address: '127.0.0.1:80', role: forward}\n",
            "f.yaml:1:18: admin.address: '127.0.0.1:80' is taken by listeners[0].address '127.0.0.1:80'; give each listener a port of its own"
        ),
        Case(
            "admin: {address: 9901}\n",
            "f.yaml:1:18: admin.address: '9901' is a port alone; write 127.0.0.1:9901 or [::]:9901"),
    ]

    // MARK: - Clusters

    /// A cluster that is spoken to with this TLS.
    private static func spoken(_ tls: String, _ problems: String...) -> Case {
        var bad = Case(
            "clusters: {app: {endpoints: '127.0.0.1:9000', tls: \(tls)}}\nlisteners: [{address: '127.0.0.1:80'}]\n"
        )
        bad.problems = problems
        return bad
    }

    static let upstreamHTTP2: [Case] = [
        Case(
            "clusters: {app: {endpoints: '127.0.0.1:9000', http2: on}}\nlisteners: [{address: '127.0.0.1:80', role: forward}]\nforward: {parent: app}\n",
            "f.yaml:1:54: clusters.app.http2: it is a parent of forward proxies, which is asked in HTTP/1.1; leave it out, or name another cluster as the parent"
        ),
        Case(
            "clusters: {app: {endpoints: '127.0.0.1:9000', http2: auto}}\nlisteners: [{address: '127.0.0.1:80'}]\n",
            "f.yaml:1:54: clusters.app.http2: without TLS an endpoint has no way to choose; write 'on', if the endpoints begin with HTTP/2 (h2c), or add 'tls'"
        ),
        Case(
            "clusters: {app: {endpoints: '127.0.0.1:9000', http2: h2c}}\nlisteners: [{address: '127.0.0.1:80'}]\n",
            "f.yaml:1:54: clusters.app.http2: 'h2c' is no choice here; write off, auto or on"
        ),
        Case(
            "clusters: {app: {endpoints: '127.0.0.1:9000', http2: on}}\nlisteners: [{address: '127.0.0.1:80'}]\ntrust: {upstream_proxy_protocol: v2}\n",
            "f.yaml:1:54: clusters.app.http2: a connection that begins with a PROXY header is one client's, and one of HTTP/2 is several clients'; leave it out, or trust.upstream_proxy_protocol"
        ),
        Case(
            "clusters: {app: {endpoints: '127.0.0.1:9000', limits: {streams: 0}}}\nlisteners: [{address: '127.0.0.1:80'}]\n",
            "f.yaml:1:65: clusters.app.limits.streams: 0 is outside 1 to 65536; give some"
        ),
    ]

    static let upstreamTLS: [Case] = [
        spoken(
            "on",
            "f.yaml:1:52: clusters.app.tls: 'on' stands where keys are expected; write some of server_name, ca, verify, cert, key, min_version, ciphers, cipher_suites"
        ),
        spoken(
            "{server_name: 'a:443', verify: off}",
            "f.yaml:1:66: clusters.app.tls.server_name: 'a:443' is neither a host name nor an address; write the name that the certificate is for, without a port, such as app.internal"
        ),
        spoken(
            "{ca: /nowhere/ca.pem}",
            "f.yaml:1:57: clusters.app.tls.ca: '/nowhere/ca.pem' does not exist; check the path"),
        spoken(
            "{ca: /dev/null}",
            "f.yaml:1:57: clusters.app.tls.ca: '/dev/null' holds no certificate in PEM; give the certificates of the authorities as PEM: -----BEGIN CERTIFICATE-----"
        ),
        spoken(
            "{ca: /dev/null, verify: off}",
            "f.yaml:1:57: clusters.app.tls.ca: nothing has to lead to it, as certificates are not verified; leave it out, or leave 'verify: off' out"
        ),
        spoken(
            "{verify: off, cert: a.pem}",
            "f.yaml:1:72: clusters.app.tls.cert: there is no key for it; name its private key with 'key:'"),
        spoken(
            "{verify: off, key: a.key}",
            "f.yaml:1:71: clusters.app.tls.key: there is no certificate for it; name its certificate with 'cert:'"
        ),
        spoken(
            "{verify: off, cert: /nowhere/a.pem, key: /nowhere/a.key}",
            "f.yaml:1:72: clusters.app.tls.cert: '/nowhere/a.pem' does not exist; check the path"),
        spoken(
            "{verify: off, ciphers: NONSENSE}",
            "f.yaml:1:75: clusters.app.tls.ciphers: there is no cipher 'NONSENSE' of TLS 1.2; see 'openssl ciphers -tls1_2 -s -v'; those of TLS 1.3 stand in 'cipher_suites:'"
        ),
        spoken(
            "{verify: off, min_version: 1.3, ciphers: HIGH}",
            "f.yaml:1:93: clusters.app.tls.ciphers: they are those of TLS 1.2, which is not spoken here; leave it out, or write 'cipher_suites:' for those of TLS 1.3"
        ),
        spoken(
            "{verify: off, cipher_suites: NONSENSE}",
            "f.yaml:1:81: clusters.app.tls.cipher_suites: 'NONSENSE' are not all suites of TLS 1.3; write some of TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384 and TLS_CHACHA20_POLY1305_SHA256, with ':' between them"
        ),
        spoken(
            "{verify: maybe}",
            "f.yaml:1:61: clusters.app.tls.verify: 'maybe' is neither on nor off; write one of them"),
    ]

    static let clusters: [Case] = [
        Case(
            "clusters: [a]\n",
            "f.yaml:1:11: clusters: a list stands where names are expected; write each name as a key, and what it has below it"
        ),
        Case(
            "clusters: {'a b': {endpoints: 'h:1'}}\n",
            "f.yaml:1:12: clusters.a b: 'a b' is no name; use up to 64 letters, digits, hyphens and underscores"
        ),
        Case(
            "clusters: {'': {endpoints: 'h:1'}}\n",
            "f.yaml:1:12: clusters.: '' is no name; use up to 64 letters, digits, hyphens and underscores"),
        Case(
            "clusters: {app: {}}\n",
            "f.yaml:1:17: clusters.app.endpoints: there is no endpoint; name one as HOST:PORT or unix:PATH, or say by 'discovery' where they are found"
        ),
        Case(
            "clusters: {app: 'h:1'}\n",
            "f.yaml:1:17: clusters.app: 'h:1' stands where keys are expected; write some of endpoints, discovery, tls, http2, balance, hash_key, sticky, health, outliers, retries, limits, panic, zone_threshold, preferred_zones, slow_start"
        ),
        Case(
            "clusters: {app: {endpoints: []}}\n",
            "f.yaml:1:29: clusters.app.endpoints: there is no endpoint; name one as HOST:PORT or unix:PATH, or say by 'discovery' where they are found"
        ),
        Case(
            "clusters: {app: {endpoints: [h]}}\n",
            "f.yaml:1:30: clusters.app.endpoints[0]: 'h' has no port; write HOST:PORT, [IPV6]:PORT or unix:PATH"
        ),
        Case(
            "clusters: {app: {endpoints: ['h:1', 'h:0']}}\n",
            "f.yaml:1:37: clusters.app.endpoints[1]: 'h:0' has port 0; give the port the endpoint listens on"),
        Case(
            "clusters: {app: {endpoints: [{zone: a}]}}\n",
            "f.yaml:1:30: clusters.app.endpoints[0]: the key 'address' is missing; add it: where it is: HOST:PORT or unix:PATH."
        ),
        Case(
            "clusters: {app: {endpoints: {address: 'h:1'}}}\n",
            "f.yaml:1:29: clusters.app.endpoints: a mapping stands where a list is expected; begin each item with '- '"
        ),
        Case(
            "clusters: {app: {endpoints: [{address: 'h:1', zon: a}]}}\n",
            "f.yaml:1:47: clusters.app.endpoints[0].zon: there is no such key; did you mean 'zone'?"),
        Case(
            "clusters: {app: {endpoints: [{address: h, zone: a b}]}}\n",
            "f.yaml:1:40: clusters.app.endpoints[0].address: 'h' has no port; write HOST:PORT, [IPV6]:PORT or unix:PATH",
            "f.yaml:1:49: clusters.app.endpoints[0].zone: 'a b' is no zone; use up to 64 letters, digits, hyphens, underscores and dots"
        ),
        Case(
            "clusters: {app: {endpoints: [{address: 'h:1,weight=2', weight: 3}]}}\n",
            "f.yaml:1:30: clusters.app.endpoints[0]: 'h:1,weight=2,weight=3' says its weight twice; keep one of them"
        ),
        Case(
            "clusters: {app: {endpoints: [{address: 'h:1', weight: 0}]}}\n",
            "f.yaml:1:30: clusters.app.endpoints[0]: 'h:1,weight=0' has no weight from 1 to 1000; write for example h:1,weight=3"
        ),
        Case(
            "clusters: {app: {endpoints: ['h:1,zone=']}}\n",
            "f.yaml:1:30: clusters.app.endpoints[0]: '' is no zone; use up to 64 letters, digits, hyphens, underscores and dots"
        ),
        Case(
            "zone: a\nclusters: {app: {endpoints: ['h:1']}}\n",
            "f.yaml:1:7: zone: no endpoint says which zone it stands in; write endpoints as {address: HOST:PORT, zone: NAME}, or leave it out"
        ),
        Case(
            "zone: a/b\n",
            "f.yaml:1:7: zone: 'a/b' is no zone; use up to 64 letters, digits, hyphens, underscores and dots"),
        Case(
            "clusters: {app: {endpoints: 'h:1,zone=a', zone_threshold: 70}}\n",
            "f.yaml:1:59: clusters.app.zone_threshold: '70' is no share; write for example 70%"),
        Case(
            "clusters: {app: {endpoints: ['h:1,priority=first', 'h:2,priority=65536', 'h:3,priority=1,priority=2']}}\n",
            "f.yaml:1:30: clusters.app.endpoints[0]: 'h:1,priority=first' has no priority from 0 to 65535; write for example h:1,priority=1",
            "f.yaml:1:52: clusters.app.endpoints[1]: 'h:2,priority=65536' has no priority from 0 to 65535; write for example h:2,priority=1",
            "f.yaml:1:74: clusters.app.endpoints[2]: 'h:3,priority=1,priority=2' says its priority twice; keep one of them"
        ),
        Case(
            "clusters: {app: {endpoints: [{address: 'h:1', priority: -1}]}}\n",
            "f.yaml:1:30: clusters.app.endpoints[0]: 'h:1,priority=-1' has no priority from 0 to 65535; write for example h:1,priority=1"
        ),
        Case(
            "clusters: {app: {endpoints: 'h:1,zone=a', preferred_zones: {zone: a}}}\n",
            "f.yaml:1:60: clusters.app.preferred_zones: a mapping stands where a list is expected; begin each item with '- '"
        ),
        Case(
            "clusters: {app: {endpoints: 'h:1,zone=a', preferred_zones: [{source: 10.0.0.0/8}, {zone: 'a b'}]}}\n",
            "f.yaml:1:61: clusters.app.preferred_zones[0]: the key 'zone' is missing; add it: the zone whose endpoints come first.",
            "f.yaml:1:90: clusters.app.preferred_zones[1].zone: 'a b' is no zone; use up to 64 letters, digits, hyphens, underscores and dots"
        ),
        Case(
            "clusters: {app: {endpoints: 'h:1,zone=a', preferred_zones: [{zone: a, country: DE}]}}\n",
            "f.yaml:1:71: clusters.app.preferred_zones[0].country: there is no such key; known here: zone, source, geo"
        ),
        Case(
            "zone: a\nclusters: {app: {endpoints: 'h:1', preferred_zones: [{zone: a, source: 10.0.0.0/8}]}, b: {endpoints: 'h:2,zone=a'}}\n",
            "f.yaml:2:53: clusters.app.preferred_zones: no endpoint of the cluster says which zone it stands in; write endpoints as {address: HOST:PORT, zone: NAME}, or leave it out"
        ),
        Case(
            "clusters: {app: {discovery: {dns: 'h:1'}, preferred_zones: [{zone: a, source: 10.0.0.0/8}]}}\n",
            "f.yaml:1:60: clusters.app.preferred_zones: endpoints that DNS names stand in no zone; find them in a file, or leave it out"
        ),
        Case(
            "clusters: {app: {endpoints: 'h:1,zone=a', preferred_zones: [{zone: a, source: [10.0.0.1/8, offise]}]}}\naddress_sets: {office: [], none: []}\n",
            "f.yaml:1:80: clusters.app.preferred_zones[0].source[0]: '10.0.0.1/8' has bits set beyond its length; write 10.0.0.0/8, or leave the length out for one address",
            "f.yaml:1:92: clusters.app.preferred_zones[0].source[1]: there is no address set 'offise'; did you mean 'office'?"
        ),
        Case(
            "clusters: {app: {endpoints: 'h:1,zone=a', preferred_zones: [{zone: a, source: none, geo: {country: UK}}]}}\naddress_sets: {none: []}\n",
            "f.yaml:1:100: clusters.app.preferred_zones[0].geo.country: no database knows countries; add one such as GeoLite2-Country to 'geo.databases'",
            "f.yaml:1:79: clusters.app.preferred_zones[0].source[0]: the address set 'none' is empty: nobody is in it; take the zone out, or put an address into the set",
            "f.yaml:1:100: clusters.app.preferred_zones[0].geo.country[0]: 'UK' is no code of ISO 3166-1; write GB"
        ),
        Case(
            "clusters: {app: {endpoints: 'h:1,zone=a', preferred_zones: [{zone: a, source: [10.0.0.0/8, '::1']}, {zone: b, source: ['::1', 10.0.0.0/8]}, {zone: c}, {zone: a, source: 10.1.0.0/16}]}}\n",
            "f.yaml:1:101: clusters.app.preferred_zones[1]: it is for nobody, for clusters.app.preferred_zones[0] is for the same clients, or all; take it out, or put it first",
            "f.yaml:1:152: clusters.app.preferred_zones[3]: it is for nobody, for clusters.app.preferred_zones[2] is for the same clients, or all; take it out, or put it first"
        ),
        Case(
            "clusters: {app: {endpoints: 'h:1,zone=a', preferred_zones: [\(String(repeating: "{zone: a}, ", count: 256))]}}\n",
            "f.yaml:1:60: clusters.app.preferred_zones: 256 are more than 255; let one zone be for several countries, or for an address set"
        ),
        Case(
            "clusters: {app: {endpoints: 'h:1,zone=a', preferred_zones: [{zone: a, geo: {region: BY, asn: 7}}]}}\n",
            "f.yaml:1:85: clusters.app.preferred_zones[0].geo.region: no database knows regions; add one such as GeoLite2-City to 'geo.databases'",
            "f.yaml:1:94: clusters.app.preferred_zones[0].geo.asn: no database knows autonomous systems; add one such as GeoLite2-ASN to 'geo.databases'"
        ),
        Case(
            "clusters: {app: {endpoints: ['http://h:1']}}\n",
            "f.yaml:1:30: clusters.app.endpoints[0]: 'http://h:1' is a URL; write HOST:PORT alone"),
        Case(
            "clusters: {app: {endpoints: ['h:1,weight=0']}}\n",
            "f.yaml:1:30: clusters.app.endpoints[0]: 'h:1,weight=0' has no weight from 1 to 1000; write for example h:1,weight=3"
        ),
        Case(
            "clusters: {app: {endpoints: 'h:1', balance: maglv}}\n",
            "f.yaml:1:45: clusters.app.balance: 'maglv' is no choice here; did you mean 'maglev'? write round-robin, least-requests, peak-ewma, ring-hash, maglev or random"
        ),
        Case(
            "clusters: {app: {endpoints: 'h:1', balance: maglev}}\n",
            "f.yaml:1:45: clusters.app.balance: maglev chooses by a key, and there is none; add 'hash_key:' and one of uri, source, header:NAME or cookie:NAME"
        ),
        Case(
            "clusters: {app: {endpoints: 'h:1', hash_key: uri}}\n",
            "f.yaml:1:46: clusters.app.hash_key: round-robin does not choose by a key (uri); write 'balance: ring-hash' or 'balance: maglev', or leave it out"
        ),
        Case(
            "clusters: {app: {endpoint: ['h:1']}}\n",
            "f.yaml:1:18: clusters.app.endpoint: there is no such key; did you mean 'endpoints'?"),
    ]

    // MARK: - Discovery

    private static func discovery(_ text: String) -> String { "clusters: {app: {discovery: {\(text)}}}\n" }

    static let discoveries: [Case] = [
        Case(
            "clusters: {app: {endpoints: 'h:1', discovery: {dns: 'h:1'}}}\n",
            "f.yaml:1:47: clusters.app.discovery: it stands beside 'endpoints'; keep one of them: endpoints are listed, or found"
        ),
        Case(
            discovery(""),
            "f.yaml:1:29: clusters.app.discovery: it does not say where endpoints are found; write one of 'dns: HOST:PORT', 'srv: NAME' and 'file: PATH'"
        ),
        Case(
            discovery("dns: 'h:1', srv: _http._tcp.h"),
            "f.yaml:1:29: clusters.app.discovery: it names dns and srv at once; write one of 'dns: HOST:PORT', 'srv: NAME' and 'file: PATH'"
        ),
        Case(
            discovery("dns: h"),
            "f.yaml:1:35: clusters.app.discovery.dns: 'h' has no port; write HOST:PORT, such as app.internal:8080"
        ),
        Case(
            discovery("dns: '10.0.0.5:80'"),
            "f.yaml:1:35: clusters.app.discovery.dns: '10.0.0.5:80' names no host to look up; list it as an endpoint"
        ),
        Case(
            discovery("dns: 'unix:/run/app.sock'"),
            "f.yaml:1:35: clusters.app.discovery.dns: 'unix:/run/app.sock' names no host to look up; list it as an endpoint"
        ),
        Case(
            discovery("srv: '_http._tcp.h:80'"),
            "f.yaml:1:35: clusters.app.discovery.srv: '_http._tcp.h:80' has a port, which each record has for itself; write the name alone, such as _http._tcp.app.internal"
        ),
        Case(
            discovery("srv: 'a..b'"),
            "f.yaml:1:35: clusters.app.discovery.srv: 'a..b' is no name; write for example _http._tcp.app.internal"
        ),
        Case(
            discovery("dns: 'h:1', refresh_min: 1m, refresh_max: 30s"),
            "f.yaml:1:55: clusters.app.discovery.refresh_min: 60s is longer than 'refresh_max' (30s); lower it, or raise 'refresh_max'"
        ),
        Case(
            discovery("dns: 'h:1', refresh_min: 1ms"),
            "f.yaml:1:55: clusters.app.discovery.refresh_min: 1ms is outside 10ms to ten years; give some seconds, such as 10s"
        ),
        Case(
            discovery("dns: 'h:1', wait: 1h"),
            "f.yaml:1:48: clusters.app.discovery.wait: 1h is outside 0 to 300s; give some seconds, or 0 not to wait"
        ),
        Case(
            discovery("dns: 'h:1', refresh: 5s"),
            "f.yaml:1:42: clusters.app.discovery.refresh: there is no such key; known here: dns, srv, file, refresh_min, refresh_max, wait"
        ),
        Case(
            discovery("file: /nowhere/at-all"),
            "f.yaml:1:36: clusters.app.discovery.file: '/nowhere/at-all' does not exist; check the path"),
        Case(
            discovery("file: /dev/null, refresh_max: 5s"),
            "f.yaml:1:36: clusters.app.discovery.file: a file is not read by the times of DNS; leave 'refresh_min', 'refresh_max' and 'wait' out: it is looked at twice a second",
            "f.yaml:1:36: clusters.app.discovery.file: '/dev/null' names no endpoint; write a line for each, such as 10.0.0.5:9000"
        ),
    ]

    // MARK: - Health

    private static func health(_ text: String) -> String { "clusters: {app: {endpoints: 'h:1', \(text)}}\n" }

    static let health: [Case] = [
        Case(
            health("health: {typ: tcp}"),
            "f.yaml:1:45: clusters.app.health.typ: there is no such key; did you mean 'type'?"),
        Case(
            health("health: {type: grpc}"),
            "f.yaml:1:51: clusters.app.health.type: 'grpc' is no choice here; write http or tcp"
        ),
        Case(
            health("health: {path: healthz}"),
            "f.yaml:1:51: clusters.app.health.path: 'healthz' is no path; begin it with '/', and write spaces and what is not ASCII as %XX"
        ),
        Case(
            health("health: {host: 'a b'}"),
            "f.yaml:1:51: clusters.app.health.host: 'a b' is no host; write a name, or NAME:PORT"),
        Case(
            health("health: {type: tcp, path: /x}"),
            "f.yaml:1:51: clusters.app.health.type: tcp checks ask for nothing that would be answered; leave out 'path', 'host' and 'body', or write 'type: http'"
        ),
        Case(
            health("health: {statuses: [200, 2xx]}"),
            "f.yaml:1:61: clusters.app.health.statuses[1]: '2xx' are no statuses; write one from 200 to 599, or a range such as 200-399"
        ),
        Case(
            health("health: {statuses: 300-200}"),
            "f.yaml:1:55: clusters.app.health.statuses: '300-200' are no statuses; write one from 200 to 599, or a range such as 200-399"
        ),
        Case(
            health("health: {interval: 0}"),
            "f.yaml:1:55: clusters.app.health.interval: 0 is outside 10ms to ten years; give some seconds, such as 10s",
            "f.yaml:1:44: clusters.app.health.timeout: 2s is longer than the time to the next check (0); lower it, or raise 'interval'"
        ),
        Case(
            health("health: {interval: 1s}"),
            "f.yaml:1:44: clusters.app.health.timeout: 2s is longer than the time to the next check (1s); lower it, or raise 'interval'"
        ),
        Case(
            health("health: {rise: 0}"),
            "f.yaml:1:51: clusters.app.health.rise: 0 is outside 1 to 1000; give some"),
        Case(
            health("health: {jitter: 10}"),
            "f.yaml:1:53: clusters.app.health.jitter: '10' is no share; write for example 10%"),
        Case(
            health("panic: 120%"),
            "f.yaml:1:43: clusters.app.panic: '120%' is more than all; write 0 to 100%"),
        Case(
            health("panic: half"),
            "f.yaml:1:43: clusters.app.panic: 'half' is no share; write for example 20%"),
        Case(
            health("slow_start: 30"),
            "f.yaml:1:48: clusters.app.slow_start: '30' has no unit; write 30s, 30ms or 30m"),
        Case(
            health("outliers: {consecutiv: 3}"),
            "f.yaml:1:47: clusters.app.outliers.consecutiv: there is no such key; did you mean 'consecutive'?"
        ),
        Case(
            health("outliers: {statuses: 5xx}"),
            "f.yaml:1:57: clusters.app.outliers.statuses: '5xx' is no choice here; write none, gateway or server"
        ),
        Case(
            health("outliers: {ejection: 10m}"),
            "f.yaml:1:46: clusters.app.outliers.ejection_max: 300s is shorter than the first ejection (10m); raise it, or lower 'ejection'"
        ),
        Case(
            health("outliers: {window: 0}"),
            "f.yaml:1:55: clusters.app.outliers.window: 0 is outside 10ms to ten years; give some seconds, such as 10s"
        ),
        Case(
            health("outliers: {latency_factor: 1}"),
            "f.yaml:1:63: clusters.app.outliers.latency_factor: half of all endpoints are slower than the others; give 2 or more, or 0 to switch it off"
        ),
        Case(
            health("retries: {on: [connect-failure, 508]}"),
            "f.yaml:1:68: clusters.app.retries.on[1]: '508' is no choice here; did you mean '500'? write connect-failure, reset, timeout, 429, 500, 502, 503, 504, 5xx or never"
        ),
        Case(
            health("retries: {on: [never, reset]}"),
            "f.yaml:1:50: clusters.app.retries.on: 'never' stands beside conditions; write conditions, such as [connect-failure, reset], or never"
        ),
        Case(
            health("retries: {on: []}"),
            "f.yaml:1:50: clusters.app.retries.on: there is no condition; write conditions, such as [connect-failure, reset], or never"
        ),
        Case(
            health("retries: {on: reset, attempts: 1}"),
            "f.yaml:1:67: clusters.app.retries.attempts: with 1 nothing is sent again on 'reset'; give 2 or more, or leave the condition out"
        ),
        Case(
            health("retries: {on: 503, budget: 0, min_per_second: 0}"),
            "f.yaml:1:63: clusters.app.retries.budget: with 0 nothing is sent again on '503'; give a share such as 20%, or leave the condition out"
        ),
        Case(
            health("retries: {hedge_after: 1us}"),
            "f.yaml:1:59: clusters.app.retries.hedge_after: 1us is outside 1ms to ten years; give what most answers take, such as 50ms; 0 switches it off"
        ),
        Case(
            health("retries: {hedge_after: 10ms, attempts: 1}"),
            "f.yaml:1:75: clusters.app.retries.attempts: with 1 nothing is sent to a second endpoint (hedge_after); give 2 or more, or leave 'hedge_after' out"
        ),
        Case(
            health("retries: {hedge_after: 10ms, budget: 0, min_per_second: 0}"),
            "f.yaml:1:73: clusters.app.retries.budget: with 0 nothing is sent to a second endpoint (hedge_after); give a share such as 5%, or leave 'hedge_after' out"
        ),
        Case(
            health("retries: {attempts: 11}"),
            "f.yaml:1:56: clusters.app.retries.attempts: 11 is outside 1 to 10; give some"),
        Case(
            health("retries: {try_timeout: 1us}"),
            "f.yaml:1:59: clusters.app.retries.try_timeout: 1us is outside 10ms to ten years; give some seconds, such as 10s"
        ),
        Case(
            health("limits: {queue: 10}"),
            "f.yaml:1:52: clusters.app.limits.queue: without a limit nothing ever waits; give 'requests', 'connections', 'endpoint_requests' or 'adaptive', or leave it out"
        ),
        Case(
            health("limits: {requests: 2000000}"),
            "f.yaml:1:55: clusters.app.limits.requests: 2000000 is outside 0 to 1000000; 0 switches it off"),
        Case(
            health("limits: {connections: -1}"),
            "f.yaml:1:58: clusters.app.limits.connections: -1 is outside 0 to 1000000; 0 switches it off"),
        Case(
            health("limits: {connections: 1000001, requests: 5}"),
            "f.yaml:1:58: clusters.app.limits.connections: 1000001 is outside 0 to 1000000; 0 switches it off"
        ),
        Case(
            health("limits: {connections: many}"),
            "f.yaml:1:58: clusters.app.limits.connections: 'many' is no whole number; write it in digits alone"
        ),
        Case(
            health("limits: {conections: 5}"),
            "f.yaml:1:45: clusters.app.limits.conections: there is no such key; did you mean 'connections'?"
        ),
        Case(
            health("limits: {connections: 10, adaptive: {min: 50}}"),
            "f.yaml:1:78: clusters.app.limits.adaptive.min: 50 is more than 'connections' allows (10); lower it, or raise 'connections'"
        ),
        Case(
            health("limits: {endpoint_requests: -5}"),
            "f.yaml:1:64: clusters.app.limits.endpoint_requests: -5 is outside 0 to 1000000; 0 switches it off"
        ),
        Case(
            health("limits: {endpoints_request: 5}"),
            "f.yaml:1:45: clusters.app.limits.endpoints_request: there is no such key; did you mean 'endpoint_requests'?"
        ),
        Case(
            health("limits: {adaptive: {min: 0}}"),
            "f.yaml:1:61: clusters.app.limits.adaptive.min: 0 is outside 1 to 1000000; give some"),
        Case(
            health("limits: {adaptive: {min: 50, max: 20}}"),
            "f.yaml:1:70: clusters.app.limits.adaptive.max: 20 is less than 'min' (50); raise it, or lower 'min'"
        ),
        Case(
            health("limits: {requests: 10, adaptive: {min: 50}}"),
            "f.yaml:1:75: clusters.app.limits.adaptive.min: 50 is more than 'requests' allows (10); lower it, or raise 'requests'"
        ),
        Case(
            health("limits: {adaptive: {buffer: 0}}"),
            "f.yaml:1:64: clusters.app.limits.adaptive.buffer: with 0 any latency that is not the least lowers the limit; give a share such as 25%"
        ),
        Case(
            health("limits: {adaptive: {window: 5s, remeasure: 1s}}"),
            "f.yaml:1:79: clusters.app.limits.adaptive.remeasure: 1s is shorter than a window (5s); raise it: a minute is common"
        ),
        Case(
            health("limits: {adaptive: {window: 1ms}}"),
            "f.yaml:1:64: clusters.app.limits.adaptive.window: 1ms is outside 10ms to ten years; give some seconds, such as 10s"
        ),
        Case(
            health("limits: {adaptive: on}"),
            "f.yaml:1:55: clusters.app.limits.adaptive: 'on' stands where keys are expected; write some of min, max, buffer, window, remeasure"
        ),
        Case(
            health("limits: {request: 2}"),
            "f.yaml:1:45: clusters.app.limits.request: there is no such key; did you mean 'requests'?"),
        Case(
            health("limits: {requests: 1, queue: 1, queue_timeout: 0}"),
            "f.yaml:1:83: clusters.app.limits.queue_timeout: 0 is outside 10ms to ten years; give some seconds, such as 10s"
        ),
        Case(
            health("outliers: {minimum_requests: 0}"),
            "f.yaml:1:65: clusters.app.outliers.minimum_requests: 0 is outside 1 to 1000000; give some"),
    ]

    // MARK: - Sticky cookies

    static let sticky: [Case] = [
        Case(
            health("sticky: {path: /}"),
            "f.yaml:1:44: clusters.app.sticky: the key 'cookie' is missing; add it: the cookie's name."),
        Case(
            health("sticky: SRV"),
            "f.yaml:1:44: clusters.app.sticky: 'SRV' stands where keys are expected; write some of cookie, path, max_age, http_only, secure, same_site, key_file"
        ),
        Case(
            health("sticky: {cookie: 'a b'}"),
            "f.yaml:1:53: clusters.app.sticky.cookie: 'a b' is no name of a cookie; use up to 64 letters, digits and hyphens"
        ),
        Case(
            health("sticky: {cookie: a, path: 'shop;x'}"),
            "f.yaml:1:62: clusters.app.sticky.path: 'shop;x' is no path; begin it with '/', and write spaces, semicolons and what is not ASCII as %XX"
        ),
        Case(
            health("sticky: {cookie: a, max_age: 500ms}"),
            "f.yaml:1:65: clusters.app.sticky.max_age: 500ms is outside 1s to ten years; give for example 1h, or 0 to keep it until the browser ends"
        ),
        Case(
            health("sticky: {cookie: a, same_site: none}"),
            "f.yaml:1:67: clusters.app.sticky.same_site: browsers refuse 'none' without 'secure'; add 'secure: on', or write lax"
        ),
        Case(
            health("sticky: {cookie: __Host-a, path: /x}"),
            "f.yaml:1:53: clusters.app.sticky.cookie: browsers refuse '__Host-a' without 'secure'; add 'secure: on', or choose another name",
            "f.yaml:1:69: clusters.app.sticky.path: browsers refuse '__Host-a' with a path other than /; leave it out, or choose another name"
        ),
        Case(
            health("sticky: {cookie: a, key_file: /nowhere}"),
            "f.yaml:1:66: clusters.app.sticky.key_file: '/nowhere' does not exist; check the path"),
        Case(
            health("sticky: {cookie: a, key_file: /dev/null}"),
            "f.yaml:1:66: clusters.app.sticky.key_file: '/dev/null' has no line of 16 characters, or several lines; write it with 'openssl rand -hex 32'"
        ),
        Case(
            health("sticky: {cookie: a}")
                + "listeners: [{address: '127.0.0.1:1', role: tcp}]\n",
            "f.yaml:1:44: clusters.app.sticky: a tcp listener sends connections here, which have no cookies; leave it out, or give that listener a cluster of its own"
        ),
        Case(
            health("retries: {hedge_after: 50ms}")
                + "listeners: [{address: '127.0.0.1:1', role: tcp}]\n",
            "f.yaml:1:59: clusters.app.retries.hedge_after: a tcp listener sends connections here, which cannot be sent to a second endpoint as well; leave it out, or give that listener a cluster of its own"
        ),
        Case(
            health("sticky: {cookie: a}")
                + "listeners: [{address: '127.0.0.1:1', role: forward, parent: app}]\n",
            "f.yaml:1:44: clusters.app.sticky: as a parent its answers are those of other sites, whose cookies it would be among; leave it out, or give the forward listener a cluster of its own"
        ),
    ]

    // MARK: - Routes

    /// One route, which says what its match is.
    private static func match(_ text: String, _ problem: String) -> Case {
        Case(cluster + "routes:\n  s:\n    - match: {\(text)}\n      cluster: app\n", problem)
    }

    private static func action(_ text: String, _ problems: String...) -> Case {
        var bad = Case(cluster + "routes:\n  s:\n    - \(text)\n")
        bad.problems = problems
        return bad
    }

    static let routes: [Case] = [
        action(
            "redirect: {to: '/{path}'}",
            "f.yaml:4:22: routes.s[0].redirect.to: '{path}' could become part of the host in '/{path}'; put text with a / before it"
        ),
        Case(
            cluster
                + "routes:\n  s:\n    - match: {path: '/{x...}'}\n      redirect: {to: 'https://a.test{x}'}\n",
            "f.yaml:5:22: routes.s[0].redirect.to: '{x}' could become part of the host in 'https://a.test{x}'; put text with a / before it"
        ),
        Case(
            "routes: [a]\n",
            "f.yaml:1:9: routes: a list stands where names are expected; write each name as a key, and what it has below it"
        ),
        Case("routes: {s: []}\n", "f.yaml:1:13: routes.s: there is no route; add one, or leave the list out"),
        Case(
            "routes: {s: }\n", "f.yaml:1:13: routes.s: there is nothing; write a list, each item after a '-'"),
        action(
            "match: {host: a}",
            "f.yaml:4:7: routes.s[0]: it does not say what becomes of a request; add one of cluster, split, redirect and respond"
        ),
        action(
            "{cluster: app, respond: {}}",
            "f.yaml:4:7: routes.s[0]: it says more than one thing to do with a request; keep one of cluster, split, redirect and respond"
        ),
        action(
            "cluster: ap", "f.yaml:4:16: routes.s[0].cluster: there is no cluster 'ap'; did you mean 'app'?"),
        action(
            "to: app",
            "f.yaml:4:7: routes.s[0].to: there is no such key; known here: match, cluster, split, split_by, mirror, redirect, respond, rewrite, request, response, timeouts, limits, name, log, server_timing, allow, deny, rate_limit, authentication"
        ),
        action(
            "redirect: {status: 301}",
            "f.yaml:4:17: routes.s[0].redirect: the key 'to' is missing; add it: a URL or a path, with {host}, {path}, {query} and the names of the path's placeholders."
        ),
        action(
            "redirect: {to: '/a', status: 200}",
            "f.yaml:4:36: routes.s[0].redirect.status: 200 does not redirect; write 301, 302, 303, 307 or 308"
        ),
        action(
            "redirect: {to: 'a'}",
            "f.yaml:4:22: routes.s[0].redirect.to: 'a' is neither a URL nor a path; begin with https://, http:// or /, as in https://{host}{path}{query}"
        ),
        action(
            "redirect: {to: '/{id}'}",
            "f.yaml:4:22: routes.s[0].redirect.to: '{id}' stands for nothing here; known are {host}, {path}, {query}, {geo:country}, {geo:region}, {geo:asn}"
        ),
        action(
            "redirect: {to: '/a b'}",
            "f.yaml:4:22: routes.s[0].redirect.to: '/a b' has ' ', which no URL can have; write it percent-encoded"
        ),
        action(
            "redirect: {to: '/{id'}",
            "f.yaml:4:22: routes.s[0].redirect.to: '/{id' has a '{' without its '}'; close it, or write %7B for the character"
        ),
        action(
            "respond: {status: 99}",
            "f.yaml:4:25: routes.s[0].respond.status: 99 is outside 200 to 599; write the status of a final response"
        ),
        action(
            "respond: {status: 204, body: a}",
            "f.yaml:4:36: routes.s[0].respond.body: an answer with 204 has no body; leave it out, or choose another status"
        ),
        action(
            "respond: {type: \"a\\nb\"}",
            "f.yaml:4:23: routes.s[0].respond.type: 'a\\nb' is no media type; write for example text/html; charset=utf-8"
        ),
        match(
            "host: 'http://a'",
            "f.yaml:4:21: routes.s[0].match.host[0]: 'http://a' is a URL; write its host alone"),
        match(
            "host: [a, '*']",
            "f.yaml:4:25: routes.s[0].match.host[1]: '*' would be any host; leave the hosts out for that"),
        match(
            "host: 'a:80'",
            "f.yaml:4:21: routes.s[0].match.host[0]: 'a:80' has a port; write the host alone, a rule holds for every port"
        ),
        match(
            "method: get",
            "f.yaml:4:23: routes.s[0].match.method[0]: 'get' is another method than 'GET'; write it in capitals"
        ),
        match(
            "source: 10.0.0.1/8",
            "f.yaml:4:23: routes.s[0].match.source[0]: '10.0.0.1/8' has bits set beyond its length; write 10.0.0.0/8, or leave the length out for one address"
        ),
        match(
            "headers: {'a b': c}",
            "f.yaml:4:32: routes.s[0].match.headers.a b: 'a b' is no field name; write for example x-version"),
        Case(
            cluster
                + "listeners: [{address: '127.0.0.1:1', cluster: app, routes: s}]\nroutes: {s: [{cluster: app}]}\n",
            "f.yaml:2:13: listeners[0]: it has both a cluster and routes; keep one: a route may name the cluster"
        ),
        Case(
            cluster + "listeners: [{address: '127.0.0.1:1', routes: t}]\nroutes: {s1: [{cluster: app}]}\n",
            "f.yaml:2:46: listeners[0].routes: there is no list of routes 't'; known are s1"),
        Case(
            cluster
                + "listeners: [{address: '127.0.0.1:1', role: tcp, routes: s}]\nroutes: {s: [{cluster: app}]}\n",
            "f.yaml:2:57: listeners[0].routes: routes are for requests, and nobody looks for any here; name a cluster instead"
        ),
        Case(
            cluster + "routes: {s: [{cluster: app}, {respond: {}}]}\n",
            "f.yaml:2:30: routes.s[1]: it can never take a request, for routes.s[0] takes all that it matches; take it out, or put it first and give it a condition"
        ),
    ]

    // MARK: - What routes change

    /// A route to a cluster with something more, in line 5.
    private static func change(_ text: String, path: String = "/a", _ problems: String...) -> Case {
        var bad = Case(
            cluster + "routes:\n  s:\n    - {match: {path: '\(path)'}, cluster: app,\n       \(text)}\n")
        bad.problems = problems
        return bad
    }

    static let rewrites: [Case] = [
        change(
            "rewrite: {path: 'b'}",
            "f.yaml:5:24: routes.s[0].rewrite.path: 'b' is no path; begin with a slash, as in /new{path}, or with {path}"
        ),
        change(
            "rewrite: {path: '/b/../c'}",
            "f.yaml:5:24: routes.s[0].rewrite.path: '/b/../c' has dot segments or doubled slashes; write the path that is meant"
        ),
        change(
            "rewrite: {path: '/b#c'}",
            "f.yaml:5:24: routes.s[0].rewrite.path: '/b#c' has a fragment, which no request has; leave it out"
        ),
        change(
            "rewrite: {path: '/{path}'}",
            "f.yaml:5:24: routes.s[0].rewrite.path: '{path}' could begin with a second slash in '/{path}'; put text before it"
        ),
        change(
            "rewrite: {path: '/b/{id}'}", path: "/{x}/{y}",
            "f.yaml:5:24: routes.s[0].rewrite.path: '{id}' stands for nothing here; known are {host}, {path}, {query}, {geo:country}, {geo:region}, {geo:asn}, {x}, {y}"
        ),
        change(
            "rewrite: {path: /b, prefix: /c}", path: "/a/*",
            "f.yaml:5:36: routes.s[0].rewrite.prefix: the whole path is rewritten already; keep one of path and prefix"
        ),
        change(
            "rewrite: {prefix: /c}",
            "f.yaml:5:26: routes.s[0].rewrite.prefix: the route's path names no prefix that could be replaced; match a path such as /a/*, or rewrite the whole path"
        ),
        change(
            "rewrite: {prefix: '/c?d'}", path: "/a/*",
            "f.yaml:5:26: routes.s[0].rewrite.prefix: '/c?d' is more than the beginning of a path; rewrite the whole path for placeholders and queries"
        ),
        change(
            "rewrite: {host: 'a b'}",
            "f.yaml:5:24: routes.s[0].rewrite.host: 'a b' is no host; write a name or an address, with :PORT or without, or upstream for the endpoint's"
        ),
        change(
            "rewrite: {pfad: /b}",
            "f.yaml:5:18: routes.s[0].rewrite.pfad: there is no such key; known here: path, prefix, host"),
        action(
            "{respond: {}, rewrite: {path: /b}}",
            "f.yaml:4:30: routes.s[0].rewrite: nothing is forwarded that could be rewritten; leave it out"),
    ]

    static let edits: [Case] = [
        change(
            "request: {set: {'a b': c}}",
            "f.yaml:5:31: routes.s[0].request.set.a b: 'a b' is no field name; write for example X-Version"),
        change(
            "request: {set: {Host: c}}",
            "f.yaml:5:30: routes.s[0].request.set.Host: 'Host' is not a route's to edit; write 'rewrite: {host: NAME}'"
        ),
        change(
            "request: {add: {Transfer-Encoding: [chunked]}}",
            "f.yaml:5:43: routes.s[0].request.add.Transfer-Encoding: 'Transfer-Encoding' is not a route's to edit; leave it out: it says how the message is framed, which the proxy sees to"
        ),
        change(
            "response: {remove: [X-A, content-length]}",
            "f.yaml:5:33: routes.s[0].response.remove[1]: 'content-length' is not a route's to edit; leave it out: it says how the message is framed, which the proxy sees to"
        ),
        change(
            "response: {remove: Connection}",
            "f.yaml:5:27: routes.s[0].response.remove[0]: 'Connection' is not a route's to edit; leave it out: it belongs to a connection, and ends here"
        ),
        change(
            "request: {set: {via: a}}",
            "f.yaml:5:29: routes.s[0].request.set.via: 'via' is not a route's to edit; set 'via' below 'fields'"
        ),
        change(
            "request: {set: {X-Forwarded-For: a}}",
            "f.yaml:5:41: routes.s[0].request.set.X-Forwarded-For: 'X-Forwarded-For' is not a route's to edit; set 'x_forwarded' below 'fields'"
        ),
        change(
            "request: {set: {expect: a}}",
            "f.yaml:5:32: routes.s[0].request.set.expect: 'expect' is not a route's to edit; leave it out: it is between the client and the proxy"
        ),
        change(
            "request: {set: {X-A: 1, x-a: 2}}",
            "f.yaml:5:37: routes.s[0].request.set.x-a: 'x-a' is set twice, for letter case means nothing; keep one of them"
        ),
        change(
            "request: {set: {X-A: 1}, remove: x-a}",
            "f.yaml:5:29: routes.s[0].request.set.X-A: 'X-A' is removed as well; leave it out of 'remove': what is set takes the place of what was there"
        ),
        change(
            "request: {set: {X-A: \"a\\nb\"}}",
            "f.yaml:5:29: routes.s[0].request.set.X-A: 'a\\nb' has a control character, which no field value may; leave it out"
        ),
        change(
            "request: {set: {X-A: ' a'}}",
            "f.yaml:5:29: routes.s[0].request.set.X-A: ' a' begins or ends with white space, which no field value has; leave it out"
        ),
        change(
            "request: {set: {X-A: 'a}b'}}",
            "f.yaml:5:29: routes.s[0].request.set.X-A: 'a}b' has a brace without its other one; write {{ or }} for the character itself"
        ),
        change(
            "request: {set: {X-A: '{clientaddress}'}}",
            "f.yaml:5:29: routes.s[0].request.set.X-A: '{clientaddress}' stands for nothing here; did you mean {client_address}? known are {client_address}, {host}, {path}, {query}, {method}, {request_id}, {time}, {geo:country}, {geo:region}, {geo:asn}, {client_cert:subject}, {client_cert:issuer}, {client_cert:serial}, {client_cert:fingerprint}, {client_cert:field}, {client_cert:verified}, {route}, {cluster}, {header:NAME}, {cookie:NAME}"
        ),
        change(
            "request: {set: {X-A: '{endpoint}'}}",
            "f.yaml:5:29: routes.s[0].request.set.X-A: '{endpoint}' is not certain when a request is written, for another may have to take it; use it in the response"
        ),
        action(
            "{respond: {}, request: {set: {a: b}}}",
            "f.yaml:4:30: routes.s[0].request: nothing is forwarded that could be edited; leave it out, or edit the response"
        ),
        action(
            "{respond: {}, response: {set: {a: '{endpoints}'}}}",
            "f.yaml:4:41: routes.s[0].response.set.a: '{endpoints}' stands for nothing here; known are {client_address}, {host}, {path}, {query}, {method}, {request_id}, {time}, {geo:country}, {geo:region}, {geo:asn}, {client_cert:subject}, {client_cert:issuer}, {client_cert:serial}, {client_cert:fingerprint}, {client_cert:field}, {client_cert:verified}, {route}, {header:NAME}, {cookie:NAME}"
        ),
        Case(
            cluster + "routes: {s: [{cluster: app}]}\nroute_defaults: {t: {}}\n",
            "f.yaml:3:21: route_defaults.t: there is no list of routes 't'; did you mean 's'?"),
        Case(
            cluster + "routes: {s: [{cluster: app}]}\nroute_defaults: {s: {request: {set: {Host: a}}}}\n",
            "f.yaml:3:44: route_defaults.s.request.set.Host: 'Host' is not a route's to edit; write 'rewrite: {host: NAME}'"
        ),
    ]

    static let policies: [Case] = [
        action(
            "split: [{cluster: app, weight: 0}]",
            "f.yaml:4:14: routes.s[0].split: no cluster has a share of the requests; give one a weight above 0"
        ),
        action(
            "split: [{cluster: ap, weight: 1}]",
            "f.yaml:4:25: routes.s[0].split[0].cluster: there is no cluster 'ap'; did you mean 'app'?"),
        action(
            "split: [{cluster: app, weight: -1}]",
            "f.yaml:4:38: routes.s[0].split[0].weight: -1 is outside 0 to 1000000; weights are shares next to each other, such as 95 and 5"
        ),
        action(
            "split: [{cluster: app, weight: 1}, {cluster: app, weight: 2}]",
            "f.yaml:4:52: routes.s[0].split[1].cluster: 'app' has a share already; add up their weights"),
        action(
            "split: [{cluster: app}]",
            "f.yaml:4:15: routes.s[0].split[0]: the key 'weight' is missing; add it: its share, next to those of the others; 0: none."
        ),
        action(
            "{cluster: app, split: [{cluster: app, weight: 1}]}",
            "f.yaml:4:7: routes.s[0]: it says more than one thing to do with a request; keep one of cluster, split, redirect and respond"
        ),
        action(
            "{cluster: app, split_by: source}",
            "f.yaml:4:32: routes.s[0].split_by: there is no split whose clusters could be chosen by it; leave it out"
        ),
        action(
            "{cluster: app, mirror: {cluster: ap}}",
            "f.yaml:4:40: routes.s[0].mirror.cluster: there is no cluster 'ap'; did you mean 'app'?"),
        action(
            "{cluster: app, mirror: {share: 5%}}",
            "f.yaml:4:30: routes.s[0].mirror: the key 'cluster' is missing; add it: a cluster."),
        action(
            "{cluster: app, mirror: {cluster: app, share: 101%}}",
            "f.yaml:4:52: routes.s[0].mirror.share: '101%' is more than all; write 0 to 100%"),
        action(
            "{cluster: app, mirror: app}",
            "f.yaml:4:30: routes.s[0].mirror: 'app' stands where keys are expected; write some of cluster, share"
        ),
        action(
            "{respond: {}, mirror: {cluster: app}}",
            "f.yaml:4:29: routes.s[0].mirror: nothing is forwarded that could be copied; leave it out"),
        Case(
            cluster + "limits: {mirrored: 1025}\n",
            "f.yaml:2:20: limits.mirrored: 1025 is outside 0 to 1024; 0 mirrors nothing"),
        change(
            "limits: {head: 8KiB}",
            "f.yaml:5:23: routes.s[0].limits.head: a head is read before it is known which route takes it; set it below 'limits' at the top of the file"
        ),
        change(
            "timeouts: {keepalive: 1s}",
            "f.yaml:5:30: routes.s[0].timeouts.keepalive: it is for connections, which no route has for itself; set it below 'timeouts' at the top of the file"
        ),
        change(
            "timeouts: {drain_delay: 1s}",
            "f.yaml:5:32: routes.s[0].timeouts.drain_delay: it is for connections, which no route has for itself; set it below 'timeouts' at the top of the file"
        ),
        change(
            "timeouts: {upgrade: 1s}",
            "f.yaml:5:28: routes.s[0].timeouts.upgrade: it is for connections, which no route has for itself; set it below 'timeouts' at the top of the file"
        ),
        change(
            "timeouts: {upstram: 1s}",
            "f.yaml:5:19: routes.s[0].timeouts.upstram: there is no such key; did you mean 'upstream'?"),
        change(
            "timeouts: {upstream: 5us}",
            "f.yaml:5:29: routes.s[0].timeouts.upstream: 5us is less than a millisecond, the step of the timer wheel; give 1ms or more, or 0 to switch it off"
        ),
        action(
            "{respond: {}, timeouts: {total: 1s}}",
            "f.yaml:4:31: routes.s[0].timeouts: nothing is forwarded that could take its time; leave them out"
        ),
        Case(
            cluster + "routes: {s: [{cluster: app}]}\nroute_defaults: {s: {limits: {uri: 1KiB}}}\n",
            "f.yaml:3:36: route_defaults.s.limits.uri: a head is read before it is known which route takes it; set it below 'limits' at the top of the file"
        ),
    ]

    // MARK: - Access

    private static let forward = "listeners:\n  - address: 127.0.0.1:1\n    role: forward\n"

    static let access: [Case] = [
        Case(
            forward + "    allow: offfice\naddress_sets: {office: 10.0.0.0/8}\n",
            "f.yaml:4:12: listeners[0].allow[0]: there is no address set 'offfice'; did you mean 'office'?"),
        Case(
            forward + "    deny: [10.0.0.0/8, x]\n",
            "f.yaml:4:24: listeners[0].deny[1]: there is no address set 'x'; define it below 'address_sets', or write an address or a block"
        ),
        Case(
            forward + "    deny: [y]\naddress_sets: {office: 10.0.0.0/8, home: 192.0.2.1}\n",
            "f.yaml:4:12: listeners[0].deny[0]: there is no address set 'y'; known are office, home, or write an address or a block"
        ),
        Case(
            forward + "address_sets: {office: [10.0.0.0/8, 10.0.0.1/8, 300.0.0.1]}\n",
            "f.yaml:4:37: address_sets.office[1]: '10.0.0.1/8' has bits set beyond its length; write 10.0.0.0/8, or leave the length out for one address",
            "f.yaml:4:49: address_sets.office[2]: '300.0.0.1' is neither an address nor a block of them; write for example 192.0.2.7, 10.0.0.0/8 or fd00::/8"
        ),
        Case(
            forward + "address_sets: {a.b: 10.0.0.0/8}\n",
            "f.yaml:4:16: address_sets.a.b: 'a.b' is no name; use up to 64 letters, digits, hyphens and underscores"
        ),
        Case(
            forward + "address_sets: {a: 'file:/nowhere/at-all'}\n",
            "f.yaml:4:19: address_sets.a[0]: '/nowhere/at-all' does not exist; check the path"),
        Case(
            cluster + "address_sets: {none: []}\n"
                + "routes:\n  s:\n    - {match: {source: none}, cluster: app}\n",
            "f.yaml:5:24: routes.s[0].match.source[0]: the address set 'none' is empty: nobody is in it; take the route out, or put an address into the set"
        ),
        limit(
            "{rate: 100}",
            "f.yaml:4:25: rate_limits.a.rate: '100' is no rate; write for example 100/s, 30/m, 1000/h or 5/d"),
        limit(
            "{rate: 0/s}",
            "f.yaml:4:25: rate_limits.a.rate: '0/s' is outside 1/s to 1000000/s; to let nobody in, use deny"),
        limit(
            "{burst: 3}",
            "f.yaml:4:18: rate_limits.a: the key 'rate' is missing; add it: how many in which time: 100/s, 30/m, 1000/h, 5/d."
        ),
        limit(
            "{rate: 1/s, burst: 0}",
            "f.yaml:4:37: rate_limits.a.burst: 0 is outside 1 to 1000000; give how many may come at once, or leave it out for as many as the rate has"
        ),
        limit(
            "{rate: 1/d, burst: 4000}",
            "f.yaml:4:37: rate_limits.a.burst: 4000 at 1/d would take more than ten years to come again; lower it, or raise the rate"
        ),
        limit(
            "{rate: 1/s, size: 1}",
            "f.yaml:4:36: rate_limits.a.size: 1 is outside 64 to 16777216; give how many keys may be busy at once; each takes 16 bytes"
        ),
        limit(
            "{rate: 1/s, size: 1G}",
            "f.yaml:4:36: rate_limits.a.size: 'G' is not a unit of counts; use k or M"),
        limit(
            "{rate: 1/s, key: ip}",
            "f.yaml:4:35: rate_limits.a.key: 'ip' is no key; write address, prefix, prefix:24/64, header:NAME, route or all"
        ),
        limit(
            "{rate: 1/s, key: 'prefix:33/64'}",
            "f.yaml:4:35: rate_limits.a.key: 'prefix:33/64' has no lengths from 1 to 32 and from 1 to 128; write for example prefix:24/64"
        ),
        limit(
            "{rate: 1/s, key: 'header:a b'}",
            "f.yaml:4:35: rate_limits.a.key: 'header:a b' names no header; write for example header:X-Api-Key"
        ),
        Case(
            forward + "    rate_limit: fats\nrate_limits: {fast: {rate: 1/s}}\n",
            "f.yaml:4:17: listeners[0].rate_limit[0]: there is no rate limit 'fats'; did you mean 'fast'?"),
        Case(
            forward + "    rate_limit: [x]\n",
            "f.yaml:4:18: listeners[0].rate_limit[0]: there is no rate limit 'x'; define it below 'rate_limits'"
        ),
        Case(
            "listeners: [{address: '127.0.0.1:1', role: tcp, rate_limit: k}]\n" + cluster
                + "rate_limits: {k: {rate: 1/s, key: 'header:x'}}\n",
            "f.yaml:1:61: listeners[0].rate_limit[0]: 'k' counts by a header, and a connection has none; use one that counts by address, prefix, route or all"
        ),
        Case(
            forward + "    authentication: stuff\nauthentication: {staff: {users_file: /nowhere/at-all}}\n",
            "f.yaml:4:21: listeners[0].authentication: there is no authentication 'stuff'; did you mean 'staff'?",
            "f.yaml:5:38: authentication.staff.users_file: '/nowhere/at-all' does not exist; check the path"),
        Case(
            forward + "    authentication: off\nauthentication: {off: {}}\n",
            "f.yaml:4:21: listeners[0].authentication: a listener asks nobody by itself; leave it out",
            "f.yaml:5:23: authentication.off: 'off' stands for no authentication at all; give it another name",
            "f.yaml:5:23: authentication.off: it knows nobody; add 'users_file:' or 'tokens_file:'"),
        Case(
            forward
                + "authentication:\n  a:\n    tokens_file: /dev/null\n    realm: 'a\"b'\n    user_field: via\n    cache: 0\n",
            "f.yaml:7:12: authentication.a.realm: 'a\"b' cannot stand between quotes; use up to 128 ASCII characters without quotes and backslashes",
            "f.yaml:8:17: authentication.a.user_field: 'via' is no field for that; use one of your own, such as X-User",
            "f.yaml:9:12: authentication.a.cache: 0 is outside 1s to 24h; give for how long right credentials need not be checked again, such as 5m"
        ),
        Case(
            "listeners: [{address: '127.0.0.1:1', role: tcp, authentication: a}]\n" + cluster
                + "authentication: {a: {tokens_file: /dev/null}}\n",
            "f.yaml:1:65: listeners[0].authentication: a connection of layer 4 has no credentials; leave it out, or use allow and deny"
        ),
    ]

    private static func limit(_ text: String, _ problem: String) -> Case {
        Case(forward + "rate_limits: {a: \(text)}\n", problem)
    }

    // MARK: - Values

    // MARK: - Access log

    static let tracing: [Case] = [
        Case(
            "tracing: {sample: 10%}\n",
            "f.yaml:1:19: tracing.sample: '10%' is no whole number; write it in digits alone"),
        Case(
            "tracing: {sample: -1, parent: honor}\n",
            "f.yaml:1:31: tracing.parent: 'honor' is no choice here; did you mean 'honour'? write honour, resample or ignore"
        ),
        Case(
            "tracing: {sample: -1}\n",
            "f.yaml:1:19: tracing.sample: -1 is not from 0 to 1000000000; write 1 for every trace, 100 for one in a hundred, 0 for none"
        ),
        Case(
            "tracing: {otlp: {headers: {a: b}}}\n",
            "f.yaml:1:17: tracing.otlp: the key 'endpoint' is missing; add it: where it takes OTLP over HTTP: http://HOST:4318/v1/traces."
        ),
        Case(
            "tracing: {otlp: {endpoint: 'https://c:4318/v1/traces'}}\n",
            "f.yaml:1:28: tracing.otlp.endpoint: 'https://c:4318/v1/traces' asks for TLS, and spans are sent in clear alone; run a collector on this machine or a private network, and have it forward them over TLS"
        ),
        Case(
            "tracing: {otlp: {endpoint: 'localhost:4318'}}\n",
            "f.yaml:1:28: tracing.otlp.endpoint: 'localhost:4318' is no URL of a collector; write http://HOST:4318/v1/traces"
        ),
        Case(
            "tracing: {otlp: {endpoint: 'http://u:p@c:4318'}}\n",
            "f.yaml:1:28: tracing.otlp.endpoint: 'http://u:p@c:4318' has credentials; write them as tracing.otlp.headers.authorization"
        ),
        Case(
            "tracing: {otlp: {endpoint: 'http://c', headers: {Host: x, 'a b': y}, batch: 0, queue: 10, timeout: 0}}\n",
            "f.yaml:1:56: tracing.otlp.headers.Host: uproxy writes this field itself; leave it out",
            "f.yaml:1:66: tracing.otlp.headers.a b: 'a b' is no name of a field; write it as it stands before the colon, such as Authorization",
            "f.yaml:1:100: tracing.otlp.timeout: a collector that never answers would be waited for for ever; write a time, such as 10s",
            "f.yaml:1:77: tracing.otlp.batch: 0 is not from 1 to 16384; choose a value between them"
        ),
        Case(
            "tracing: {otlp: {endpoint: 'http://c', batch: 100, queue: 50, interval: 2h}}\n",
            "f.yaml:1:73: tracing.otlp.interval: 2h is longer than 1h; choose a shorter one",
            "f.yaml:1:59: tracing.otlp.queue: 50 is not from tracing.otlp.batch (100) to 131072; choose a value between them"
        ),
        Case(
            "tracing: {attributes: {service.name: x, service.instance.id: y}}\n",
            "f.yaml:1:38: tracing.attributes.service.name: it is known anyway; use tracing.service or tracing.instance, or leave it out",
            "f.yaml:1:62: tracing.attributes.service.instance.id: it is known anyway; use tracing.service or tracing.instance, or leave it out"
        ),
        Case(
            "fields: {server_timing: maybe}\n",
            "f.yaml:1:25: fields.server_timing: 'maybe' is neither on nor off; write one of them"),
    ]

    static let accessLog: [Case] = [
        Case(
            "access_log: {format: json}\n",
            "f.yaml:1:13: access_log: the key 'to' is missing; add it: the path of a file, stdout, stderr, syslog:/dev/log, syslog:udp:HOST:PORT or journald."
        ),
        Case(
            "access_log: {to: syslog}\n",
            "f.yaml:1:18: access_log.to: 'syslog' says not where it is; write syslog:/dev/log or syslog:udp:HOST:PORT"
        ),
        Case(
            "access_log: {to: 'syslog:udp:logs.example:514'}\n",
            "f.yaml:1:18: access_log.to: 'syslog:udp:logs.example:514' has no address; write one and its port, as in syslog:udp:192.0.2.1:514, for names are not asked for"
        ),
        Case(
            "access_log: {to: journald, format: binary}\n",
            "f.yaml:1:36: access_log.format: 'journald' takes lines of text, and binary records are none; write json, or log to a file"
        ),
        Case(
            "access_log: {to: stdout, format: combinde}\n",
            "f.yaml:1:34: access_log.format: 'combinde' is no format; did you mean 'combined'? known are combined, json, logfmt, binary, and templates such as '{client} {status}'"
        ),
        Case(
            "access_log: {to: stdout, rotate: {size: 1MiB}}\n",
            "f.yaml:1:34: access_log.rotate: 'stdout' is no file, and cannot be rotated; leave it out, or log to a file"
        ),
        Case(
            "access_log: {to: a.log, rotate: {size: 4KiB, every: 90m}}\n",
            "f.yaml:1:40: access_log.rotate.size: 4KiB is less than 64KiB; let files grow larger: each takes a name",
            "f.yaml:1:53: access_log.rotate.every: 90m does not begin at the same hours each day; use 1h, 2h, 3h, 4h, 6h, 8h, 12h or 1d"
        ),
        Case(
            "access_log: {to: a.log, rotate: {keep: 3}}\n",
            "f.yaml:1:33: access_log.rotate: nothing says when the file is rotated; add 'size', 'every' or both"
        ),
        Case(
            "access_log: {to: a.log, sample: 0, buffer: 1KiB, record: 1MiB}\n",
            "f.yaml:1:33: access_log.sample: 0 is not from 1 to 1000000000; choose a value between them",
            "f.yaml:1:44: access_log.buffer: 1KiB is not from 64KiB to 64MiB; choose a value between them",
            "f.yaml:1:58: access_log.record: 1MiB is not from 512 to 16KiB; choose a value between them"),
        Case(
            "routes: {a: [{respond: {}, log: {sample: 0}}, {match: {path: /a}, respond: {}, log: {enabled: off, rate: 1}}]}\n",
            "f.yaml:1:42: routes.a[0].log.sample: 0 is not from 1 to 1000000000; choose a value between them",
            "f.yaml:1:106: routes.a[1].log.rate: its requests are not logged; leave it out, or 'enabled: off'"
        ),
        Case(
            "access_log: {to: a.log, fields: {request: ['X A']}, when_full: block}\n",
            "f.yaml:1:64: access_log.when_full: 'block' is no choice here; write drop or wait"),
        Case(
            "access_log: {to: a.log, fields: {request: ['X A']}}\n",
            "f.yaml:1:44: access_log.fields.request[0]: 'X A' is no name of a field; write it as it stands before the colon, such as X-Request-Id"
        ),
        Case(
            "access_log: {to: /run/a.pid}\nengine: {pid_file: /run/a.pid}\n",
            "f.yaml:1:18: access_log.to: '/run/a.pid' is the file of the process's number as well; give the log a file of its own"
        ),
    ]

    static let values: [Case] = [
        Case(
            "timeouts: {head: 30}\n", "f.yaml:1:18: timeouts.head: '30' has no unit; write 30s, 30ms or 30m"),
        Case(
            "timeouts: {head: 1.5s}\n",
            "f.yaml:1:18: timeouts.head: '1.5s' is no whole number; use a smaller unit, for example 30s, 500ms, 2m or 1h"
        ),
        Case(
            "timeouts: {head: -1s}\n",
            "f.yaml:1:18: timeouts.head: '-1s' is negative; a duration is 0 or more, for example 30s, 500ms, 2m or 1h"
        ),
        Case(
            "timeouts: {head: 5 sec}\n",
            "f.yaml:1:18: timeouts.head: ' sec' is not a unit of time; use ns, us, ms, s, m, h or d"),
        Case(
            "timeouts: {head: soon}\n",
            "f.yaml:1:18: timeouts.head: 'soon' is no duration; write for example 30s, 500ms, 2m or 1h"),
        Case(
            "timeouts: {head: 5000d}\n",
            "f.yaml:1:18: timeouts.head: '5000d' is longer than ten years; 0 switches a timeout off"),
        Case(
            "timeouts: {connect: 10us}\n",
            "f.yaml:1:21: timeouts.connect: 10us is less than a millisecond, the step of the timer wheel; give 1ms or more, or 0 to switch it off"
        ),
        Case(
            "timeouts: {head: {}}\n",
            "f.yaml:1:18: timeouts.head: a mapping stands here; write a duration, such as 30s, 500ms or 2m"),
        Case(
            "timeouts: {head: }\n",
            "f.yaml:1:18: timeouts.head: nothing stands here; write a duration, such as 30s, 500ms or 2m"),
        Case(
            "limits: {head: 32K}\n",
            "f.yaml:1:16: limits.head: 'K' leaves open which; write 32KiB (powers of 1024) or 32KB (powers of 1000)"
        ),
        Case(
            "limits: {head: 0}\n",
            "f.yaml:1:16: limits.head: a head without a limit would let one peer take all memory; give 1KiB to 256KiB"
        ),
        Case(
            "limits: {head: 512}\n",
            "f.yaml:1:16: limits.head: 512 is outside 1KiB to 256KiB; heads of browsers need 8KiB or more",
            "f.yaml:1:9: limits.uri: 8KiB does not fit limits.head (512); lower it, raise limits.head, or give 0 to let the head's limit bound it"
        ),
        Case(
            "limits: {head: 1MiB}\n",
            "f.yaml:1:16: limits.head: 1MiB is outside 1KiB to 256KiB; send large values in the body"),
        Case(
            "limits: {uri: 64KiB}\n",
            "f.yaml:1:15: limits.uri: 64KiB does not fit limits.head (32KiB); lower it, raise limits.head, or give 0 to let the head's limit bound it"
        ),
        Case(
            "timeouts: {drain_delay: -1s}\n",
            "f.yaml:1:25: timeouts.drain_delay: '-1s' is negative; a duration is 0 or more, for example 30s, 500ms, 2m or 1h"
        ),
        Case(
            "timeouts: {upgrade: 9999999h}\n",
            "f.yaml:1:21: timeouts.upgrade: '9999999h' is longer than ten years; 0 switches a timeout off"),
        Case(
            "engine: {pid_file: [a, b]}\n",
            "f.yaml:1:20: engine.pid_file: a list stands here; write a path, or 'off'"),
        Case(
            "limits: {body: 1 parsec}\n",
            "f.yaml:1:16: limits.body: ' parsec' is not a unit of size; use B, KiB, MiB, GiB, TiB, KB, MB, GB or TB"
        ),
        Case(
            "limits: {body: 99999999999TiB}\n",
            "f.yaml:1:16: limits.body: '99999999999TiB' is larger than any size can be; write a size, such as 512, 32KiB or 10MB"
        ),
        Case(
            "limits: {fields: many}\n",
            "f.yaml:1:18: limits.fields: 'many' is no whole number; write it in digits alone"),
        Case(
            "limits: {fields: 5000}\n",
            "f.yaml:1:18: limits.fields: 5000 is outside 0 to 4096; 0 switches it off"),
        Case(
            "limits: {connections: -1}\n",
            "f.yaml:1:23: limits.connections: -1 is outside 0 to 1073741824; 0 switches it off"),
        Case(
            "limits: {connections: 10, connections_per_client: 20}\n",
            "f.yaml:1:51: limits.connections_per_client: 20 is more than limits.connections (10) lets in at all; lower it, or raise limits.connections"
        ),
        Case(
            "limits: {rate_min: fast}\n",
            "f.yaml:1:20: limits.rate_min: 'fast' is no size; write for example 512, 32KiB, 1MiB or 10MB"),
        Case(
            "limits: {rate_min: '1KiB:10'}\n",
            "f.yaml:1:20: limits.rate_min: '10' has no unit; write 10s, 10ms or 10m"),
        Case(
            "engine: {threads: 0}\n",
            "f.yaml:1:19: engine.threads: 0 is outside 1 to 1024; leave it out to use one thread for each CPU available"
        ),
        Case(
            "engine: {threads: four}\n",
            "f.yaml:1:19: engine.threads: 'four' is no whole number; write it in digits alone"),
        Case(
            "engine: {io: kqueue}\n",
            "f.yaml:1:14: engine.io: 'kqueue' is no choice here; write auto, uring or epoll"),
        Case(
            "engine: {io: urng}\n",
            "f.yaml:1:14: engine.io: 'urng' is no choice here; did you mean 'uring'? write auto, uring or epoll"
        ),
        Case(
            "engine: {pin: maybe}\n",
            "f.yaml:1:15: engine.pin: 'maybe' is neither on nor off; write one of them"),
        Case(
            "engine: {memory: 1MiB}\n",
            "f.yaml:1:18: engine.memory: 1MiB is outside 16MiB to 16TiB; give at least 16MiB, or leave it out for a share of the machine's memory"
        ),
        Case(
            "engine: {busy_poll: 1s}\n",
            "f.yaml:1:21: engine.busy_poll: 1s is outside 0 to 1ms; give what a sleep and a wake-up take, such as 50us; 0 switches it off"
        ),
        Case(
            "pools: {idle: 100000}\n",
            "f.yaml:1:15: pools.idle: 100000 is outside 0 to 65536; 0 keeps no idle connection"),
        Case(
            "forward: {allow: ['a b']}\n",
            "f.yaml:1:18: forward.allow: 'a b' is empty or holds a space; give a CIDR, a name, a pattern as *.example.com or a port, and repeat the option for more"
        ),
        Case(
            "forward: {parent: up}\n",
            "f.yaml:1:19: forward.parent: there is no cluster 'up'; define it below 'clusters'"),
        Case(
            cluster + "listeners: [{address: '127.0.0.1:80', role: forward, parent: apt}]\n",
            "f.yaml:2:62: listeners[0].parent: there is no cluster 'apt'; did you mean 'app'?"),
        Case(
            cluster + "listeners: [{address: '127.0.0.1:80', cluster: app, parent: app}]\n",
            "f.yaml:2:61: listeners[0].parent: only a forward proxy's requests go through a parent; name the cluster with 'cluster:', or make the role forward"
        ),
        Case(
            cluster + "listeners: [{address: '127.0.0.1:80'}]\nforward: {parent: app}\n",
            "f.yaml:3:19: forward.parent: there is no forward proxy whose requests could go through it; add a listener with the role forward, or leave it out"
        ),
        Case(
            "forward: {direct: '*.internal'}\n",
            "f.yaml:1:19: forward.direct: there is no parent; name the cluster of proxies as the parent, or leave it out"
        ),
        Case(
            cluster
                + "listeners: [{address: '127.0.0.1:80', role: forward}]\nforward: {parent: app, parent_authorization: pass, parent_credentials: /c}\n",
            "f.yaml:3:72: forward.parent_credentials: what downstream shows is passed to the parent, which takes one of the two; leave it out, or switch passing off"
        ),
        Case(
            "forward: {parent_authorization: yes}\n",
            "f.yaml:1:33: forward.parent_authorization: 'yes' is no choice here; write off or pass"),
        Case(
            "forward: {deny: 'http://x'}\n",
            "f.yaml:1:17: forward.deny: 'http://x' is a URL; give its host, or HOST:PORT"),
        Case(
            "dns: {servers: [ns.example.org]}\n",
            "f.yaml:1:16: dns.servers: 'ns.example.org' is no address of a name server; write it as 192.0.2.53, 192.0.2.53:5353, 2001:db8::53 or [2001:db8::53]:5353"
        ),
        Case(
            "fields: {via: 'a b'}\n",
            "f.yaml:1:15: fields.via: 'a b' cannot stand in a Via field; use up to 64 letters, digits and hyphens, or off"
        ),
        Case(
            "fields: {forwarded: add}\n",
            "f.yaml:1:21: fields.forwarded: 'add' is no choice here; write off, append or replace"),
        Case(
            "fields: {x_forwarded: apend}\n",
            "f.yaml:1:23: fields.x_forwarded: 'apend' is no choice here; did you mean 'append'? write off, append or replace"
        ),
    ]

    // MARK: - Where clients are

    private static func place(_ key: String, _ value: String, _ said: String...) -> Case {
        var bad = Case(cluster + "routes: {s: [{cluster: app, match: {geo: {\(key): \(value)}}}]}\n")
        bad.problems = said.map { "f.yaml:2:\(45 + key.utf8.count): routes.s[0].match.geo.\(key)\($0)" }
        return bad
    }

    private static let noCountries =
        ": no database knows countries; add one such as GeoLite2-Country to 'geo.databases'"
    private static let noRegions =
        ": no database knows regions; add one such as GeoLite2-City to 'geo.databases'"
    private static let noSystems =
        ": no database knows autonomous systems; add one such as GeoLite2-ASN to 'geo.databases'"

    static let geo: [Case] = [
        Case(
            cluster
                + "routes: {s: [{cluster: app, request: {set: {X-A: '{geo:country}'}, add: {X-B: '{{geo:asn}}'}}, rewrite: {path: '/x{geo:region}'}}]}\n",
            "f.yaml:2:50: routes.s[0].request.set.X-A\(noCountries)",
            "f.yaml:2:112: routes.s[0].rewrite.path\(noRegions)"
        ),
        Case(
            cluster
                + "routes: {s: [{cluster: app}]}\nroute_defaults: {s: {response: {add: {X-A: '{geo:asn}'}}}}\n",
            "f.yaml:3:44: route_defaults.s.response.add.X-A\(noSystems)"),
        action(
            "redirect: {to: '/{geo:country}/x'}",
            "f.yaml:4:22: routes.s[0].redirect.to\(noCountries)",
            "f.yaml:4:22: routes.s[0].redirect.to: '{geo:country}' could become part of the host in '/{geo:country}/x'; put text with a / before it"
        ),
        Case(
            "geo: {databases: [/nowhere/x.mmdb, /dev/null, /proc, /etc/passwd]}\n",
            "f.yaml:1:19: geo.databases[0]: '/nowhere/x.mmdb' does not exist; check the path",
            "f.yaml:1:36: geo.databases[1]: '/dev/null' is no regular file; check the path",
            "f.yaml:1:47: geo.databases[2]: '/proc' is a directory; check the path",
            "f.yaml:1:54: geo.databases[3]: '/etc/passwd' is no database in MaxMind's format, or a broken one (The MaxMind DB file contains invalid metadata); check the path"
        ),
        Case(
            "geo: {databases: ''}\n",
            "f.yaml:1:18: geo.databases: there is nothing; write the path of a file"),
        Case(
            "geo: {database: /x.mmdb}\n",
            "f.yaml:1:7: geo.database: there is no such key; did you mean 'databases'?"),
        place("country", "DE", noCountries), place("region", "BY", noRegions),
        place("asn", "7", noSystems),
        place(
            "country", "Germany", noCountries,
            "[0]: 'Germany' is no country; write its two letters, such as DE"),
        place("country", "UK", noCountries, "[0]: 'UK' is no code of ISO 3166-1; write GB"),
        place("country", "'!'", noCountries, "[0]: '' is no country; write its two letters, such as DE"),
        place(
            "region", "DE-BY", noRegions,
            "[0]: 'DE-BY' is no region; write what ISO 3166-2 has behind the hyphen, such as BY for DE-BY"),
        place(
            "asn", "AS0", noSystems,
            "[0]: 'AS0' is no number of an autonomous system; write 1 to 4294967295"),
        place(
            "asn", "'!4294967296'", noSystems,
            "[0]: '4294967296' is no number of an autonomous system; write 1 to 4294967295"),
        Case(
            cluster + "routes: {s: [{cluster: app, match: {geo: {system: 7}}}]}\n",
            "f.yaml:2:43: routes.s[0].match.geo.system: there is no such key; known here: country, region, asn"
        ),
    ]

    // MARK: - Proxies before this one

    static let trust: [Case] = [
        Case(
            "forward: {allow: [10.0.0.1/8]}\n",
            "f.yaml:1:18: forward.allow: \"10.0.0.1/8\" has bits set beyond its prefix; write 10.0.0.0/8, or leave the length out for one address"
        ),
        Case(
            "trust: {proxy_protocol: v1}\n",
            "f.yaml:1:25: trust.proxy_protocol: 'v1' is no choice here; write off or require"),
        Case(
            "trust: {proxy_protocol_from: 10.0.0.0/8}\n",
            "f.yaml:1:30: trust.proxy_protocol_from: no listener takes the PROXY protocol; add trust.proxy_protocol require, or leave it out"
        ),
        Case(
            cluster
                + "listeners: [{address: '127.0.0.1:80'}]\ntrust: {upstream_proxy_protocol: v1, upstream_proxy_tlvs: [ssl]}\n",
            "f.yaml:3:59: trust.upstream_proxy_tlvs: headers of version 2 alone have room for them; add trust.upstream_proxy_protocol v2, or leave it out"
        ),
        Case(
            cluster
                + "listeners: [{address: '127.0.0.1:80'}]\ntrust: {upstream_proxy_protocol: v2, upstream_proxy_tlvs: [sni]}\n",
            "f.yaml:3:60: trust.upstream_proxy_tlvs[0]: 'sni' is no choice here; write authority, alpn, ssl, cert-cn, ssl-cipher or crc32c"
        ),
        Case(
            "trust: {proxies: [10.0.0.1/8]}\n",
            "f.yaml:1:18: trust.proxies: '10.0.0.1/8' has bits set beyond its length; write 10.0.0.0/8, or leave the length out for one address"
        ),
    ]

    // MARK: - The environment

    static let environment: [Case] = [
        Case(
            "engine: {threads: '${MISSING}'}\n",
            "f.yaml:1:19: engine.threads: the environment variable MISSING is not set; set it, or write ${MISSING:-default}"
        ),
        Case(
            "engine: {threads: '${EMPTY}'}\n",
            "f.yaml:1:19: engine.threads: the environment variable EMPTY is not set; set it, or write ${EMPTY:-default}"
        ),
        Case(
            "engine: {threads: '${WORD}'}\n",
            "f.yaml:1:19: engine.threads: 'word' is no whole number; write it in digits alone"),
        Case(
            "engine: {threads: '${'}\n",
            "f.yaml:1:19: engine.threads: '${' has a '${' without its '}'; close it, or write '$${' for the characters themselves"
        ),
        Case(
            "engine: {threads: '${1X}'}\n",
            "f.yaml:1:19: engine.threads: '1X' in '${1X}' names no environment variable; write ${NAME} or ${NAME:-default}"
        ),
        Case(
            "engine: {threads: '${:-3}'}\n",
            "f.yaml:1:19: engine.threads: ':-3' in '${:-3}' names no environment variable; write ${NAME} or ${NAME:-default}"
        ),
    ]
}
