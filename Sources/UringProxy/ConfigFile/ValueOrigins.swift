/// Where each value that is in effect comes from.
struct ValueOrigins: Sendable {
    private let file: ConfigurationFile?
    /// Paths of keys that an option of the command line has set.
    private let byOption: [String: String]

    /// - Parameters:
    ///   - configuration: what is in effect.
    ///   - file: what it began as, if it did as a file.
    init(_ configuration: Configuration, file: ConfigurationFile?) {
        self.file = file
        let base = file?.configuration ?? Configuration()
        var byOption: [String: String] = [:]
        for (section, keys) in ConfigurationSchema.sections {
            for key in keys where key.write(configuration) != key.write(base) {
                byOption["\(section).\(key.name)"] = key.option
            }
        }
        for key in AccessLogSchema.keys {
            guard let option = AccessLogSchema.optionOfKey[key.name], let log = configuration.accessLog,
                key.write(log) != base.accessLog.flatMap({ key.write($0) })
            else { continue }
            byOption["access_log.\(key.name)"] = option
        }
        // Drawn anew each time: a difference of two draws says nothing.
        if file?.origins["fields.via"] == nil, configuration.via?.hasPrefix("uproxy-") == true {
            byOption["fields.via"] = nil
        }
        self.byOption = byOption
    }

    /// The option, or the file and its line; nil for a default, and for what options say that are no keys, such as `--listen`.
    func text(of path: String) -> String? {
        if let option = byOption[path] { return option }
        // An item alone stands where its list would.
        let list = path.hasSuffix("[0]") ? file?.origins[String(path.dropLast(3))] : nil
        return (file?.origins[path] ?? list).map { "\($0.file):\($0.line)" }
    }
}
