/// The admin listener's interface in OpenAPI 3.1.
enum AdminAPI {
    static let document = "{}"
}
