/// How metrics are written, as who asks for them takes it.
enum MetricsFormat: Sendable {
    /// The text format of Prometheus, version 0.0.4.
    case text
    /// OpenMetrics 1.0.
    case openMetrics

    var contentType: String {
        switch self {
        case .text: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        }
    }

    /// - Parameter accept: all values of the field Accept (RFC 9110 §12.5.1). OpenMetrics has to be asked for by its name, and no less than
    ///   text.
    init(accept: [String]) {
        var openMetrics: Double = 0
        var text: Double = 0
        for item in accept.flatMap({ $0.split(separator: ",") }) {
            let parts = item.split(separator: ";").map { trimmed($0).lowercased() }
            var quality = 1.0
            var version: Substring?
            for parameter in parts.dropFirst() {
                if parameter.hasPrefix("q=") { quality = Double(parameter.dropFirst(2)) ?? 0 }
                if parameter.hasPrefix("version=") { version = parameter.dropFirst(8) }
            }
            switch parts.first {
            case "application/openmetrics-text" where version == nil || version == "1.0.0":
                openMetrics = max(openMetrics, quality)
            case "text/plain": text = max(text, quality)
            default: break
            }
        }
        self = openMetrics > 0 && openMetrics >= text ? .openMetrics : .text
    }
}
