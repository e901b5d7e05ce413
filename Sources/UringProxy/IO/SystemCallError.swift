/// A system call that failed while something was being set up.
struct SystemCallError: Error, Equatable {
    let call: StaticString
    let errno: Int32

    var message: String { "\(call) failed with errno \(errno)" }

    static func == (a: SystemCallError, b: SystemCallError) -> Bool {
        a.errno == b.errno && a.call.description == b.call.description
    }
}
