/// Looks at the machine with a configuration in mind. Judges facts only: what gathers them is `DoctorFacts`.
public struct Doctor {
    let configuration: Configuration
    let facts: DoctorFacts
    let needs: DoctorNeeds

    public static func examine(_ configuration: Configuration) -> DoctorReport {
        Doctor(configuration: configuration, facts: .ask()).report
    }

    init(configuration: Configuration, facts: DoctorFacts) {
        self.configuration = configuration
        self.facts = facts
        needs = DoctorNeeds(configuration, available: facts.availableProcessors)
    }

    var report: DoctorReport {
        var report = DoctorReport(
            kernelRelease: facts.kernelRelease, processors: facts.availableProcessors,
            container: facts.container)
        report.findings = ringFindings + limitFindings + machineFindings + sysctlFindings
        return report
    }
}

/// Findings are built here and nowhere else, so that each grade has what a reader needs of it.
extension DoctorReport.Finding {
    static func ok(_ subject: String, _ text: String) -> Self {
        Self(grade: .ok, subject: subject, text: text)
    }

    static func advice(_ subject: String, _ text: String, cost: String, remedy: String?) -> Self {
        Self(grade: .advice, subject: subject, text: text, cost: cost, remedy: remedy)
    }

    static func problem(
        _ subject: String, _ text: String, cost: String, remedy: String?, preventsRunning: Bool = false
    ) -> Self {
        Self(
            grade: .problem, subject: subject, text: text, cost: cost, remedy: remedy,
            preventsRunning: preventsRunning)
    }
}
