/// What there is on the admin listener, and what it says.
struct AdminRoutes: Sendable {
    private struct Handler {
        typealias Answer = (AdminRequest) throws(OptionSyntaxError) -> AdminResponse

        let method: Method
        let answer: Answer

        static func get(_ answer: @escaping Answer) -> Handler { Handler(method: .get, answer: answer) }
        static func post(_ answer: @escaping Answer) -> Handler { Handler(method: .post, answer: answer) }
    }

    /// Prometheus and people wait for no worker that is late for longer than that.
    private static let patience = Nanoseconds.milliseconds(500)

    let server: Server
    let reload: (@Sendable () -> ReloadOutcome)?
    let file: @Sendable () -> ConfigurationFile?
    /// Nobody but who is on this machine can reach it.
    let isLoopback: Bool
    /// What who asks has to know; nil: nothing.
    let token: AdminToken?
    /// Whether a balancer in front is to send nothing more.
    let isDraining: @Sendable () -> Bool

    func answer(_ request: AdminRequest) -> AdminResponse {
        let isJSON = request.path.first == "api"
        func refusal(_ status: UInt16, _ message: String) -> AdminResponse {
            isJSON ? .error(status, message) : .text(status, message)
        }
        if isLoopback && token == nil && request.namesDomain {
            return refusal(
                421,
                "nobody calls loopback by such a name; ask localhost or the address, or set admin.token_file")
        }
        if let token, !isOpen(request), !token.isSame(as: request.token) {
            var answer = refusal(401, "give the admin token: Authorization: Bearer TOKEN")
            answer.fields.append(("WWW-Authenticate", "Bearer realm=\"uproxy admin\""))
            return answer
        }
        guard let handler = handler(of: request.path) else {
            return refusal(
                404,
                "there are /, /ready, /healthz, /metrics, /explain, /flight-recorder, /reload and /api/v1/openapi.json"
            )
        }
        let asked = request.method == .head ? .get : request.method
        guard handler.method == asked else {
            let allowed = handler.method == .get ? "GET, HEAD" : "POST"
            var answer = refusal(405, "\(allowed) alone is answered here")
            answer.fields.append(("Allow", allowed))
            return answer
        }
        if asked == .post && request.isFromPage { return refusal(403, "no web page may ask for that") }
        do throws(OptionSyntaxError) { return try handler.answer(request) } catch {
            return refusal(400, error.message)
        }
    }

    /// What probes ask, and pages that say nothing of the proxy until they have the token.
    private func isOpen(_ request: AdminRequest) -> Bool {
        switch request.path {
        case ["ready"], ["healthz"], [], ["status.js"], ["status.css"]: true
        default: false
        }
    }

    /// What answers there, and to which method; nil: nothing does.
    private func handler(of path: [String]) -> Handler? {
        if path.count > 2, path[0] == "api", path[1] == "v1" { return handler(ofAPI: Array(path[2...])) }
        switch path {
        case []: return .get { _ in AdminFiles.page }
        case ["status.js"]: return .get { _ in AdminFiles.script }
        case ["status.css"]: return .get { _ in AdminFiles.style }
        case ["ready"], ["healthz"]:
            return .get { _ in isDraining() ? .text(503, "draining") : .text(200, "ok") }
        case ["flight-recorder"]: return .get(flightRecorder)
        case ["metrics"]: return .get(metrics)
        case ["explain"]: return .get(explain)
        case ["reload"]:
            return .post { _ in
                outcome { .text($0 ? 200 : 409, $1.joined(separator: "\n")) } ?? .text(403, Self.fixed)
            }
        default: return nil
        }
    }

    /// - Parameter path: behind `/api/v1`.
    private func handler(ofAPI path: [String]) -> Handler? {
        switch (path[0], path.count) {
        case ("overview", 1): return .get(overview)
        case ("process", 1): return .get(part { $0.process(&$1) })
        case ("workers", 1): return .get(part { $0.workers(&$1) })
        case ("listeners", 1): return .get(part { $0.listeners(&$1) })
        case ("clusters", 1): return .get(part { $0.clusters(&$1) })
        case ("clusters", 2): return .get { _ in cluster(path[1]) }
        case ("clusters", 5) where path[2] == "endpoints" && path[4] == "drain":
            return .post { _ in setDrained(true, path[3], of: path[1]) }
        case ("clusters", 5) where path[2] == "endpoints" && path[4] == "enable":
            return .post { _ in setDrained(false, path[3], of: path[1]) }
        case ("exchanges", 1): return .get(exchanges)
        case ("connections", 1): return .get(connections)
        case ("config", 1): return .get(configuration)
        case ("openapi.json", 1): return .get { _ in AdminFiles.api }
        case ("reload", 1):
            return .post { _ in
                outcome { isDone, lines in
                    .json(isDone ? 200 : 409) {
                        $0.member("done", isDone)
                        $0.array("lines", lines)
                    }
                } ?? .error(403, Self.fixed)
            }
        default: return nil
        }
    }

    // MARK: - As text

    private func metrics(_ request: AdminRequest) -> AdminResponse {
        let survey = server.survey(Inspection.Question(), patience: Self.patience)
        return AdminResponse(
            type: request.format.contentType, body: MetricsReport.render(server, request.format, survey))
    }

    /// What the flight recorder knows now, as `uproxy trace` reads it.
    private func flightRecorder(_ request: AdminRequest) -> AdminResponse {
        guard let recorder = server.flightRecorder else {
            return .text(404, "nothing is recorded; see flight_recorder.enabled")
        }
        return AdminResponse(type: "application/octet-stream", body: recorder.dump().encoded)
    }

    private func explain(_ request: AdminRequest) throws(OptionSyntaxError) -> AdminResponse {
        let query = try ExplanationQuery(parsing: request.query)
        return .text(200, try server.explain(query, file: file()).text)
    }

    private static let fixed = "nothing can be reloaded here"

    private func outcome(_ answer: (_ isDone: Bool, _ lines: [String]) -> AdminResponse) -> AdminResponse? {
        guard let reload else { return nil }
        let outcome = reload()
        return answer(outcome.isDone, outcome.lines)
    }

    // MARK: - As JSON

    private func report(_ question: Inspection.Question = Inspection.Question()) -> StatusReport {
        StatusReport(server, server.survey(question, patience: Self.patience), isDraining: isDraining())
    }

    private func overview(_ request: AdminRequest) throws(OptionSyntaxError) -> AdminResponse {
        let parameters = try request.parameters("exchanges", "tunnels")
        var question = Inspection.Question()
        question.exchanges = try count(parameters["exchanges"], "exchanges", most: 500) ?? 20
        question.includesTunnels = try toggle(parameters["tunnels"], "tunnels") ?? false
        let report = report(question)
        return .json { report.overview(&$0) }
    }

    /// A part of the report, for who asks for nothing else.
    private func part(_ write: @escaping (StatusReport, inout JSONText) -> Void) -> Handler.Answer {
        { (request: AdminRequest) throws(OptionSyntaxError) in
            _ = try request.parameters()
            let report = report()
            return .json { write(report, &$0) }
        }
    }

    private func cluster(_ name: String) -> AdminResponse {
        let report = report()
        guard let index = report.plans.firstIndex(where: { $0.name == name }) else {
            let remedy = NearestName.remedy(for: name, among: report.plans.map(\.name), of: "clusters")
            return .error(404, "there is no cluster \(quoted(name)); \(remedy)")
        }
        return .json { report.cluster(index, &$0) }
    }

    private func exchanges(_ request: AdminRequest) throws(OptionSyntaxError) -> AdminResponse {
        let parameters = try request.parameters("limit", "tunnels", "min_age", "id")
        var question = Inspection.Question()
        question.exchanges = try count(parameters["limit"], "limit", most: 500) ?? 50
        question.includesTunnels = try toggle(parameters["tunnels"], "tunnels") ?? false
        if let text = parameters["id"] {
            guard let id = UInt64(text, radix: 16) else {
                throw OptionSyntaxError(
                    "id: \(quoted(text)) is no id as the access log has them: 16 hexadecimal digits")
            }
            question.exchangeID = id
            question.includesTunnels = true
        }
        var youngest = Int64.min
        if let text = parameters["min_age"] {
            guard let duration = try? Nanoseconds(parsing: text) else {
                throw OptionSyntaxError("min_age: \(quoted(text)) is no duration like 500ms or 2s")
            }
            youngest = duration.rawValue
        }
        let report = report(question)
        return .json { report.exchanges(&$0, atLeast: youngest, limit: question.exchanges) }
    }

    private func connections(_ request: AdminRequest) throws(OptionSyntaxError) -> AdminResponse {
        let parameters = try request.parameters("limit", "side", "phase")
        var question = Inspection.Question()
        question.connections = try count(parameters["limit"], "limit", most: 1000) ?? 100
        if let text = parameters["side"] {
            switch text {
            case "downstream": question.side = .downstream
            case "upstream": question.side = .upstream
            default: throw OptionSyntaxError("side: there are downstream and upstream, not \(quoted(text))")
            }
        }
        if let text = parameters["phase"] {
            guard let phase = Connection.Phase(label: text) else {
                let all = Connection.Phase.allCases.map { "\($0.label)" }
                throw OptionSyntaxError(
                    "phase: there is no \(quoted(text)); \(NearestName.remedy(for: text, among: all, of: "phases"))"
                )
            }
            question.phase = phase
        }
        let report = report(question)
        return .json { report.connections(&$0, limit: question.connections) }
    }

    private func configuration(_ request: AdminRequest) throws(OptionSyntaxError) -> AdminResponse {
        _ = try request.parameters()
        let text = ConfigurationPrinter(server.configuration, file: file()).text
        return .json { $0.member("yaml", text + "\n") }
    }

    private func setDrained(_ isDrained: Bool, _ endpoint: String, of cluster: String) -> AdminResponse {
        do throws(Server.EndpointError) {
            let isNews = try server.setDrained(isDrained, endpoint: endpoint, of: cluster)
            return .json {
                $0.member("cluster", cluster)
                $0.member("endpoint", endpoint)
                $0.member("drained", isDrained)
                $0.member("changed", isNews)
            }
        } catch {
            switch error {
            case .noCluster(let remedy):
                return .error(404, "there is no cluster \(quoted(cluster)); \(remedy)")
            case .noEndpoint(_, let remedy):
                return .error(404, "cluster \(cluster) has no endpoint \(quoted(endpoint)); \(remedy)")
            case .isEnding: return .error(409, "the process ends, or another one takes its place")
            case .failed(let why): return .error(409, "all is as it was: \(why)")
            }
        }
    }

    // MARK: - Parameters

    private func count(_ text: String?, _ name: String, most: Int) throws(OptionSyntaxError) -> Int? {
        guard let text else { return nil }
        guard let count = Int(text), (0...most).contains(count) else {
            throw OptionSyntaxError("\(name): \(quoted(text)) is no number from 0 to \(most)")
        }
        return count
    }

    private func toggle(_ text: String?, _ name: String) throws(OptionSyntaxError) -> Bool? {
        switch text {
        case nil: nil
        case "true", "on", "1": true
        case "false", "off", "0": false
        case let text?: throw OptionSyntaxError("\(name): \(quoted(text)) is neither true nor false")
        }
    }
}
