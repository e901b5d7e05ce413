internal import CAdminFiles

/// What is served as it stands in `Sources/CAdminFiles`.
enum AdminFiles {
    // The status page. It says nothing of the proxy; what it shows it asks the API for.
    static let page = unsafe response("text/html; charset=utf-8", cadminfiles_page(), Self.ofPage)
    static let script = unsafe response("text/javascript; charset=utf-8", cadminfiles_script(), Self.ofPage)
    static let style = unsafe response("text/css; charset=utf-8", cadminfiles_style(), Self.ofPage)
    /// The API's description in OpenAPI 3.1; `Tests/Peers/admin.py` holds it against answers.
    static let api = unsafe response(AdminResponse.json, cadminfiles_api(), [])

    private static let ofPage: [(name: String, value: String)] = [
        // Another version's page must not meet this one's API.
        ("Cache-Control", "no-cache"),
        // What the page may do: run its own script, ask where it came from, and nothing else, whatever a peer's text brings into it.
        (
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
                + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
    ]

    private static func response(
        _ type: String, _ file: cadminfiles_file, _ fields: [(name: String, value: String)]
    ) -> AdminResponse {
        let bytes = unsafe UnsafeBufferPointer(start: file.bytes, count: file.size)
        return AdminResponse(type: type, body: unsafe Array(bytes), fields: fields)
    }
}
