/// What the placeholders of a template stand for in one request. Views, good as long as what the request was made from.
struct TemplateSource: BitwiseCopyable {
    var request: RouteRequest
    var match: RouteMatch
    var requestID = ByteView.empty
    /// Of the request, where the route has several.
    var cluster = ByteView.empty
    /// Of the client's connection, where the route asks for what it has shown.
    var session = TLSSession.none
    /// Since 1970.
    var milliseconds: Int64 = 0
}
