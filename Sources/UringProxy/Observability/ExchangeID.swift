/// The id of an exchange as everything that names one writes it: sixteen hexadecimal digits.
func exchangeID(_ id: UInt64) -> String {
    let digits = String(id, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
}
