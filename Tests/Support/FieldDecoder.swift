internal import CNghttp2

/// Reads blocks of fields as HPACK has them (RFC 7541), one after the other.
@safe public final class FieldDecoder {
    public struct Failure: Error {}

    private var inflater: OpaquePointer?

    public init() { unsafe _ = nghttp2_hd_inflate_new(&inflater) }

    deinit { unsafe nghttp2_hd_inflate_del(inflater) }

    public func decode(_ block: [UInt8]) throws(Failure) -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        var rest = block[...]
        while true {
            var field = unsafe nghttp2_nv()
            var flags: Int32 = 0
            let taken = unsafe rest.withUnsafeBufferPointer { bytes in
                unsafe nghttp2_hd_inflate_hd2(inflater, &field, &flags, bytes.baseAddress, bytes.count, 1)
            }
            guard taken >= 0 else { throw Failure() }
            rest = rest.dropFirst(taken)
            if flags & Int32(NGHTTP2_HD_INFLATE_EMIT.rawValue) != 0 {
                unsafe fields.append(
                    (text(field.name, field.namelen), text(field.value, field.valuelen)))
            }
            if flags & Int32(NGHTTP2_HD_INFLATE_FINAL.rawValue) != 0 { break }
            if taken == 0 && flags & Int32(NGHTTP2_HD_INFLATE_EMIT.rawValue) == 0 { break }
        }
        unsafe _ = nghttp2_hd_inflate_end_headers(inflater)
        return fields
    }

    @unsafe
    private func text(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> String {
        unsafe String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }
}
