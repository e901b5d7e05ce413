/// How large a head may be before it is refused.
struct HeadLimits: BitwiseCopyable {
    /// Start line and fields with their line ends, and a trailer section likewise. At most 1 GiB.
    var headBytes = 32 * 1024
    /// Field lines; the capacity of the `FieldTable` limits them too.
    var fields = 128
    /// The request target. RFC 9112 §3 recommends to support 8000 bytes at least.
    var uriBytes = 8 * 1024

    /// The same of HTTP/2, which counts 32 bytes for each field, whatever its size (RFC 9113 §6.5.2).
    var headListBytes: Int { headBytes + 32 * fields }

    /// The longest method that is read at all; the registered ones have up to 17 bytes.
    static var methodBytes: Int { 32 }

    /// The longest request line without its line end: method, target, two spaces and the version.
    var requestLineBytes: Int { HeadLimits.methodBytes + 1 + uriBytes + 1 + 8 }
}
