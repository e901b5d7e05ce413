import Testing

@testable import UringProxy

@Suite struct MetricsFormatTests {
    @Test(arguments: [
        ["application/openmetrics-text"],
        ["application/openmetrics-text; version=1.0.0; charset=utf-8"],
        // As Prometheus 2 and 3 ask.
        [
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
        ],
        [
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
        ],
        ["text/plain;q=0.3", "Application/OpenMetrics-Text"],
    ])
    func openMetricsIsGivenToWhoAsksForIt(accept: [String]) {
        #expect(MetricsFormat(accept: accept) == .openMetrics)
    }

    @Test(arguments: [
        [], ["*/*"], ["text/plain"], ["text/html,application/xhtml+xml,*/*;q=0.8"],
        ["application/openmetrics-text;version=0.0.1"], ["application/openmetrics-text;version=2.0.0"],
        ["application/openmetrics-text;q=0"], ["application/openmetrics-text;q=x"],
        ["application/openmetrics-text;q=0.5, text/plain;q=0.6"], [",;,", ";"],
    ])
    func othersGetText(accept: [String]) {
        #expect(MetricsFormat(accept: accept) == .text)
    }
}
