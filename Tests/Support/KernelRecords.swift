internal import CTestTLS

/// Does in place of the kernel what it does with the keys of a connection (TLS_TX): makes records of what is sent.
public struct KernelRecords {
    private let keys: [UInt8]
    /// Of the next record, counted from the first one that the keys are for.
    private var number: UInt64 = 0

    /// - Parameter keys: one of the structs of linux/tls.h; nil if it is none of those for TLS 1.3.
    public init?(_ keys: [UInt8]) {
        self.keys = keys
        if Self.make(keys, 0, 23, []).isEmpty { return nil }
    }

    /// - Parameters:
    ///   - type: 21: alert, 23: application data.
    ///   - content: at most 16 KiB.
    public mutating func record(_ type: Int32, _ content: ArraySlice<UInt8>) -> [UInt8] {
        defer { number += 1 }
        return Self.make(keys, number, type, content)
    }

    private static func make(_ keys: [UInt8], _ number: UInt64, _ type: Int32, _ content: ArraySlice<UInt8>)
        -> [UInt8]
    {
        var record = [UInt8](repeating: 0, count: content.count + 22)
        let size = unsafe content.withUnsafeBytes {
            unsafe ctest_kernel_record(keys, number, type, $0.baseAddress, content.count, &record)
        }
        return Array(record[..<size])
    }
}
