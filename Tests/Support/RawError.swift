/// Why a raw exchange did not go as a test wanted.
public enum RawError: Error {
    case address(String)
    case system(call: String, errno: Int32)
    /// What had come until then.
    case timedOut(received: [UInt8])
    /// The peer ended its side, or reset the connection, before enough had come.
    case ended(received: [UInt8], isReset: Bool)
    case malformedResponse(String)
}
