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

extension TestProxy {
    /// What is said of a request for `http://h/` from somebody.
    func explain(fields: [String] = [], from source: String = "127.0.0.1") throws -> String {
        do throws(OptionSyntaxError) {
            return try Explanation(
                method: "GET", target: "http://h/", fields: fields, source: source, listener: nil,
                configuration: server.configuration, file: nil
            ).text
        } catch { throw TestFailure(error.message) }
    }
}
