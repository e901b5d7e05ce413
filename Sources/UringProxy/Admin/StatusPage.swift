/// The status page, as it is served.
enum StatusPage {
    static let page = AdminResponse(type: "text/html; charset=utf-8", body: "")
    static let script = AdminResponse(type: "text/javascript; charset=utf-8", body: "")
    static let style = AdminResponse(type: "text/css; charset=utf-8", body: "")
}
