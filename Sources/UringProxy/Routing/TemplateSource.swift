/// What the placeholders of a template stand for in one request. Views, good as long as what the request was made from.
struct TemplateSource: BitwiseCopyable {
    var request: RouteRequest
    var match: RouteMatch
    var requestID = ByteView.empty
    /// Of the request, where the route has several.
    var cluster = ByteView.empty
    /// Since 1970.
    var milliseconds: Int64 = 0
}
