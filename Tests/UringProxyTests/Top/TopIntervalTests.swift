import Testing

@testable import UringProxy

@Suite struct TopIntervalTests {
    @Test func ratesAreOfTheTimeBetween() throws {
        var fixture = TopFixture()
        fixture.counters = ["requests_total": 1000, "upstream_connections_reused_total": 10]
        fixture.failures = ["connect_failed": 2]
        fixture.statuses = ["2xx": 900, "5xx": 10]
        let first = try fixture.sample
        fixture.now += 2
        fixture.counters = ["requests_total": 1500, "upstream_connections_reused_total": 10]
        fixture.failures = ["connect_failed": 8, "no_route": 4]
        fixture.statuses = ["2xx": 1300, "5xx": 20, "none": 6]
        let interval = try #require(TopInterval(from: first, to: try fixture.sample, elapsed: 2.01))
        #expect(interval.seconds == 2)
        #expect(interval.rate("requests_total") == 250)
        #expect(interval.rate("upstream_connections_reused_total") == 0)
        #expect(interval.failures == ["connect_failed": 6, "no_route": 4])
        #expect(interval.total.responses["2xx"] == 400)
        #expect(interval.counts(cluster: "app").failed == 16)
        #expect(interval.counts(endpoint: "127.0.0.1:9000", of: "app").ended == 416)
        #expect(interval.counts(cluster: "gone").ended == 0)
        #expect(abs(interval.cpu - 0.1) < 1e-9)
        #expect(interval.count("turns", worker: 0) == 200)
        #expect(interval.sum("completions") == 1000)
    }

    @Test func aClockThatWasSetIsNotBelieved() throws {
        var fixture = TopFixture()
        let first = try fixture.sample
        fixture.now -= 500
        fixture.counters["requests_total"] = 10
        #expect(TopInterval(from: first, to: try fixture.sample, elapsed: 2)?.rate("requests_total") == 5)
        fixture.now += 9000
        #expect(TopInterval(from: first, to: try fixture.sample, elapsed: 2)?.rate("requests_total") == 5)
    }

    @Test func anotherProcessBeginsAnew() throws {
        var fixture = TopFixture()
        fixture.counters["requests_total"] = 50
        let first = try fixture.sample
        var picture = TopPicture(first, at: 0)
        fixture.now += 1
        fixture.counters["requests_total"] = 60
        picture.add(try fixture.sample, at: 1, least: 0.5)
        #expect(picture.interval?.rate("requests_total") == 10)
        #expect(picture.requests == [10])

        // The same number, as in a container.
        fixture.now += 1
        fixture.counters["requests_total"] = 3
        picture.add(try fixture.sample, at: 2, least: 0.5)
        #expect(picture.interval == nil)
        #expect(picture.news == "process 100 began anew; so do the rates")
        #expect(TopInterval(from: first, to: try fixture.sample, elapsed: 1) == nil)

        fixture.now += 1
        fixture.pid = 200
        fixture.counters["requests_total"] = 5
        picture.add(try fixture.sample, at: 3, least: 0.5)
        #expect(picture.interval == nil)
        #expect(picture.news == "process 200 serves in the place of 100; rates begin anew")

        fixture.now += 1
        fixture.reloads = 1
        fixture.counters["requests_total"] = 9
        picture.add(try fixture.sample, at: 4, least: 0.5)
        #expect(picture.interval?.rate("requests_total") == 4)
        #expect(picture.news == "its configuration was reloaded (1)")
    }

    @Test func ratesOfNoTimeStayThoseOfBefore() throws {
        var fixture = TopFixture()
        var picture = TopPicture(try fixture.sample, at: 0)
        fixture.now += 1
        fixture.counters["requests_total"] = 10
        picture.add(try fixture.sample, at: 1, least: 0.5)
        fixture.now += 0.1
        fixture.counters["requests_total"] = 60
        fixture.exchanges = [("1", 2, "/")]
        picture.add(try fixture.sample, at: 1.1, least: 0.5)
        #expect(picture.interval?.rate("requests_total") == 10)
        #expect(picture.sample.exchanges.count == 1)
        fixture.now += 0.9
        picture.add(try fixture.sample, at: 2, least: 0.5)
        #expect(picture.interval?.rate("requests_total") == 50)
    }

    @Test func quantilesLieBetweenBounds() {
        let bounds = TopFixture.bounds
        func quantile(_ counts: [Double], _ part: Double) -> Double? {
            TopHistogram(sum: 0, cumulative: counts).quantile(part, bounds: bounds)
        }
        #expect(quantile([], 0.5) == nil)
        #expect(quantile([0, 0, 0, 0, 0], 0.5) == nil)
        #expect(quantile([10, 10, 10, 10, 10], 0.5) == 0.0005)
        #expect(quantile([10, 10, 10, 10, 10], 1) == 0.001)
        // Half of them up to 10 ms, half up to 100 ms.
        #expect(abs(quantile([0, 10, 20, 20, 20], 0.5)! - 0.01) < 1e-12)
        #expect(abs(quantile([0, 10, 20, 20, 20], 0.75)! - 0.055) < 1e-12)
        #expect(quantile([0, 0, 0, 0, 5], 0.5) == .infinity)
        #expect(quantile([99, 99, 99, 99, 100], 0.99) == 0.001)
        #expect(quantile([99, 99, 99, 99, 100], 0.999) == .infinity)
        #expect(quantile([1, 2], 0.5) == nil)
    }

    @Test func histogramsAreSubtractedAndAdded() {
        let first = TopHistogram(sum: 1, cumulative: [1, 2, 3, 3, 3])
        let second = TopHistogram(sum: 4, cumulative: [1, 4, 6, 7, 8])
        #expect(second.since(first) == TopHistogram(sum: 3, cumulative: [0, 2, 3, 4, 5]))
        #expect(second.since(first).mean == 0.6)
        // Begun anew.
        #expect(first.since(second) == first)
        #expect(first.since(TopHistogram()) == first)
        var sum = TopHistogram()
        sum.add(first)
        sum.add(second)
        #expect(sum == TopHistogram(sum: 5, cumulative: [2, 6, 9, 10, 11]))
    }

    @Test func whatIsAbsentIsNothing() throws {
        #expect(TopSample(.null) == nil)
        #expect(TopSample(try JSONValue(parsing: Array(#"{"error":"no"}"#.utf8))) == nil)
        let sparse =
            #"{"process":{"pid":1},"counters":{},"listeners":[{}],"clusters":[{"endpoints":[{}]}],"exchanges":[{}]}"#
        let sample = try #require(TopSample(try JSONValue(parsing: Array(sparse.utf8))))
        let picture = TopPicture(sample, at: 0)
        var state = TopState(interval: 1)
        let screen = TopScreen(picture: picture, address: "a", problem: "", palette: .text)
        #expect(screen.lines(&state, width: 80, height: 24).count == 24)
        #expect(!TopReport(picture: picture).text.isEmpty)
    }

    @Test("200 clusters of 10 endpoints are read and shown")
    func muchIsRead() throws {
        var fixture = TopFixture()
        fixture.clusters = (0..<200).map { "cluster-\($0)" }
        fixture.endpoints = (0..<10).map { "10.0.0.\($0):80" }
        let sample = try fixture.sample
        #expect(sample.clusters.count == 200)
        #expect(sample.clusters[199].endpoints.count == 10)
    }
}
