/// A time as the Date field tells it (RFC 9110 §5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
struct HTTPDate: BitwiseCopyable {
    static var size: Int { 29 }

    private let text: InlineArray<29, UInt8>

    /// - Parameter seconds: since 1970, UTC; of the years 1970 to 9999.
    init(secondsSince1970 seconds: Int64) {
        let seconds = min(max(seconds, 0), 253_402_300_799)
        let days = seconds / 86_400
        let time = seconds % 86_400
        let (year, month, day) = Self.civil(days)
        // 1 January 1970 was a Thursday.
        let weekday = Int((days + 4) % 7)
        var text = InlineArray<29, UInt8>(repeating: UInt8(ascii: " "))
        func put(_ digits: Int64, _ count: Int, at place: Int) {
            var rest = digits
            for index in stride(from: place + count - 1, through: place, by: -1) {
                text[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
        }
        func put(_ names: StaticString, _ which: Int, at place: Int) {
            for index in 0..<3 { text[place + index] = unsafe names.utf8Start[which * 3 + index] }
        }
        put("SunMonTueWedThuFriSat", weekday, at: 0)
        text[3] = UInt8(ascii: ",")
        put(day, 2, at: 5)
        put("JanFebMarAprMayJunJulAugSepOctNovDec", Int(month) - 1, at: 8)
        put(year, 4, at: 12)
        put(time / 3600, 2, at: 17)
        text[19] = UInt8(ascii: ":")
        put(time / 60 % 60, 2, at: 20)
        text[22] = UInt8(ascii: ":")
        put(time % 60, 2, at: 23)
        put("GMT", 0, at: 26)
        self.text = text
    }

    /// The date of a day counted from 1 January 1970. Years begin in March here, so that the leap day is their last.
    static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }

    @inline(__always)
    func write(to writer: inout ByteWriter) {
        unsafe withUnsafeBytes(of: text) { writer.append(unsafe ByteView($0)) }
    }

    var string: String {
        var copy = text
        return unsafe withUnsafeBytes(of: &copy) { unsafe ByteView($0).string }
    }
}
