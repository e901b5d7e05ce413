/// Numbers and texts as people read them, in few cells of printable ASCII.
enum TopText {
    /// What anybody may have chosen: all but printable ASCII is escaped, so that nothing is a terminal's command and a character is a
    /// cell.
    static func shown(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            let isPrintable = scalar.value >= 0x20 && scalar.value < 0x7F
            result += isPrintable ? String(scalar) : "\\u{\(String(scalar.value, radix: 16))}"
        }
        return result
    }

    /// With so many digits behind the point.
    static func fixed(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return value.isNaN ? "-" : value > 0 ? "inf" : "-inf" }
        let scale: Int64 = digits == 0 ? 1 : digits == 1 ? 10 : 100
        let whole = Int64((abs(value) * Double(scale)).rounded())
        let sign = value < 0 && whole > 0 ? "-" : ""
        if digits == 0 { return "\(sign)\(whole)" }
        let rest = String(whole % scale)
        return "\(sign)\(whole / scale)." + String(repeating: "0", count: min(digits, 2) - rest.count) + rest
    }

    /// A number of three digits or so, with k, M, G or T.
    static func amount(_ value: Double) -> String {
        if value < 9.95 { return value == value.rounded() ? fixed(value, 0) : fixed(value, 1) }
        if value < 9999.5 { return fixed(value, 0) }
        return scaled(value, 1000, ["k", "M", "G", "T"])
    }

    /// A rate; nil: there is none yet.
    static func rate(_ value: Double?) -> String {
        guard let value else { return "-" }
        if value > 0 && value < 0.05 { return "<0.1" }
        return amount(value)
    }

    static func bytes(_ value: Double?) -> String {
        guard let value else { return "-" }
        if value < 1023.5 { return "\(fixed(value, 0)) B" }
        return scaled(value, 1024, [" KiB", " MiB", " GiB", " TiB"])
    }

    private static func scaled(_ value: Double, _ base: Double, _ units: [String]) -> String {
        var rest = value / base
        var unit = 0
        while rest >= base - 0.5 && unit < units.count - 1 {
            rest /= base
            unit += 1
        }
        return fixed(rest, rest < 99.95 ? 1 : 0) + units[unit]
    }

    /// How long something took, in seconds; infinite: longer than is measured.
    static func duration(_ seconds: Double?) -> String {
        guard let seconds else { return "-" }
        if seconds.isInfinite { return ">60s" }
        let value = max(0, seconds)
        if value < 0.000_999_5 { return "\(fixed(value * 1e6, 0))us" }
        if value < 0.009_995 { return "\(fixed(value * 1e3, 2))ms" }
        if value < 0.099_95 { return "\(fixed(value * 1e3, 1))ms" }
        if value < 0.999_5 { return "\(fixed(value * 1e3, 0))ms" }
        return age(value)
    }

    /// How long something has lasted, in seconds.
    static func age(_ seconds: Double) -> String {
        let value = max(0, seconds)
        if value < 59.95 { return "\(fixed(value, 1))s" }
        let whole = Int(min(value, 1e12).rounded())
        if whole < 3600 { return "\(whole / 60)m\(whole % 60)s" }
        if whole < 86_400 { return "\(whole / 3600)h\(whole / 60 % 60)m" }
        return "\(whole / 86_400)d\(whole / 3600 % 24)h"
    }

    static func percent(_ part: Double?) -> String {
        guard let part else { return "-" }
        return "\(fixed(part * 100, part < 0.0995 ? 1 : 0))%"
    }

    /// Values beside each other as columns, the highest one as high as a cell.
    static func bars(_ values: [Double], isUnicode: Bool) -> String {
        let signs = isUnicode ? Array(" ▁▂▃▄▅▆▇█") : Array(" .:-=+*#@")
        guard let most = values.max(), most > 0 else { return String(repeating: " ", count: values.count) }
        return String(
            values.map { value in
                value <= 0 ? signs[0] : signs[max(1, Int((value / most * Double(signs.count - 1)).rounded()))]
            })
    }
}
