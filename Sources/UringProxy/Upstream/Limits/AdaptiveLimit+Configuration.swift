extension AdaptiveLimit.Settings {
    init(_ configuration: AdaptiveLimitConfiguration) {
        lowest = UInt32(clamping: configuration.lowest)
        highest = UInt32(clamping: configuration.highest)
        tolerance = 1 + Double(configuration.buffer) / 100
        window = configuration.window.rawValue
        remeasure = configuration.remeasure.rawValue
    }
}
