@testable import UringProxy

extension Explanation {
    /// Of a question in its parts.
    init(
        method: String, target: String, fields: [String], source: String, listener: String?,
        configuration: Configuration, file: ConfigurationFile?
    ) throws(OptionSyntaxError) {
        var query = ExplanationQuery(target: target)
        query.method = method
        query.fields = fields
        query.source = source
        query.listener = listener
        try self.init(query, configuration: configuration, file: file)
    }
}
