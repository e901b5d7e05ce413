public enum UproxyVersion {
    public static let current = "0.1.0"
}
