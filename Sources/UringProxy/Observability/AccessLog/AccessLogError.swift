/// Why a log cannot be written where it should be, as one sentence for whoever has to mend it.
struct AccessLogError: Error {
    let message: String
}
