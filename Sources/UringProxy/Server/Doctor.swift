public enum Doctor {
    public static func examine(_ configuration: Configuration) -> DoctorReport { DoctorReport() }
}
public struct DoctorReport: Sendable {
    public var json: String { "{}" }
    public var text: String { "" }
    public var preventsRunning: Bool { false }
}
