/// What a route makes of a request beside what every hop does; views that are good while the head is written. Fields that it
/// drops are marked in the table (`FieldNameList`).
struct RequestChanges: BitwiseCopyable {
    /// In place of the target; empty: none.
    var target = ByteView.empty
    /// In place of what Host says; empty: nothing.
    var host = ByteView.empty
    /// Field lines that are added.
    var lines = ByteView.empty
    /// `lines` tell the scheme or the host that downstream used, so that this hop does not.
    var tellsProto = false
    var tellsHost = false

    static var none: RequestChanges { RequestChanges() }

    /// Whether the request line and Host are as received.
    @inline(__always)
    var keepsStart: Bool { target.isEmpty && host.isEmpty }
}
