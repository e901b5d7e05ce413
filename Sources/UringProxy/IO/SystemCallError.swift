/// A system call that failed while something was being set up.
public struct SystemCallError: Error, Equatable {
    /// Its name.
    public let call: StaticString
    /// Why, as errno(3) has it; positive.
    public let errno: Int32

    /// For whoever has to mend it.
    public var message: String { "\(call) failed with errno \(errno)" }

    public static func == (a: SystemCallError, b: SystemCallError) -> Bool {
        a.errno == b.errno && a.call.description == b.call.description
    }
}
