/// What `Doctor` found, in the order it looked.
public struct DoctorReport: Sendable {
    public struct Finding: Sendable, Equatable {
        public enum Grade: String, Sendable { case ok, advice, problem }

        public let grade: Grade
        /// What was looked at: `io_uring`, `net.core.somaxconn`.
        public let subject: String
        public let text: String
        /// What the lack costs, in plain words.
        public var cost: String?
        /// The command that mends it, or what to do where no command can.
        public var remedy: String?
        /// Whether the proxy cannot run as configured.
        public var preventsRunning = false
    }

    public let kernelRelease: String
    public let processors: Int
    /// Where it seems to run, if that is a container.
    public let container: String?
    public internal(set) var findings: [Finding] = []

    public var preventsRunning: Bool { findings.contains(where: \.preventsRunning) }

    func count(_ grade: Finding.Grade) -> Int { findings.count { $0.grade == grade } }
}

extension DoctorReport {
    public var text: String {
        let place = container.map { ", in a container (\($0))" } ?? ""
        var lines = [
            "uproxy \(UproxyVersion.current) on Linux \(kernelRelease), \(processors) CPU\(processors == 1 ? "" : "s")\(place)",
            "",
        ]
        let width = findings.map(\.subject.count).max() ?? 0
        let margin = String(repeating: " ", count: 9)
        for finding in findings {
            let grade = finding.grade.rawValue
            let gap = String(repeating: " ", count: 9 - grade.count)
            let subject = finding.subject + String(repeating: " ", count: width - finding.subject.count)
            lines.append("\(grade)\(gap)\(subject)  \(finding.text)")
            if let cost = finding.cost { lines.append("\(margin)  costs: \(cost)") }
            if let remedy = finding.remedy { lines.append("\(margin)  mend:  \(remedy)") }
        }
        lines.append("")
        lines.append(verdict)
        return lines.joined(separator: "\n")
    }

    private var verdict: String {
        let advice = count(.advice)
        let problems = count(.problem)
        if preventsRunning { return "The proxy cannot run as asked; see the problems above." }
        if advice + problems == 0 { return "Nothing to mend." }
        let texts = [
            problems > 0 ? "\(problems) problem\(problems == 1 ? "" : "s")" : nil,
            advice > 0 ? "\(advice) piece\(advice == 1 ? "" : "s") of advice" : nil,
        ]
        return "The proxy can run. \(texts.compactMap { $0 }.joined(separator: ", "))."
    }

    public var json: String {
        var text = "{\"version\":\(jsonString(UproxyVersion.current)),\"kernel\":\(jsonString(kernelRelease))"
        text += ",\"processors\":\(processors),\"container\":\(container.map(jsonString) ?? "null")"
        text += ",\"canRun\":\(!preventsRunning),\"findings\":["
        for (index, finding) in findings.enumerated() {
            text += index == 0 ? "\n" : ",\n"
            text +=
                "{\"grade\":\(jsonString(finding.grade.rawValue)),\"subject\":\(jsonString(finding.subject))"
            text += ",\"text\":\(jsonString(finding.text)),\"cost\":\(finding.cost.map(jsonString) ?? "null")"
            text += ",\"remedy\":\(finding.remedy.map(jsonString) ?? "null")"
            text += ",\"preventsRunning\":\(finding.preventsRunning)}"
        }
        return text + "\n]}"
    }
}
