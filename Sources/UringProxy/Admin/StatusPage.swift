internal import CStatusPage

/// The status page, as it is served: the files in `Sources/CStatusPage`. They say nothing of the proxy; what the page shows it asks the
/// API for.
enum StatusPage {
    static let page = unsafe response("text/html; charset=utf-8", cstatuspage_page())
    static let script = unsafe response("text/javascript; charset=utf-8", cstatuspage_script())
    static let style = unsafe response("text/css; charset=utf-8", cstatuspage_style())

    /// What the page may do: run its own script, ask where it came from, and nothing else, whatever a peer's text brings into it.
    static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    private static func response(_ type: String, _ file: cstatuspage_file) -> AdminResponse {
        let bytes = unsafe UnsafeBufferPointer(start: file.bytes, count: file.size)
        return AdminResponse(
            type: type, body: unsafe String(decoding: bytes, as: UTF8.self),
            fields: [
                // Another version's page must not meet this one's API.
                ("Cache-Control", "no-cache"),
                ("Content-Security-Policy", policy),
                ("X-Content-Type-Options", "nosniff"),
                ("Referrer-Policy", "no-referrer"),
            ])
    }
}
