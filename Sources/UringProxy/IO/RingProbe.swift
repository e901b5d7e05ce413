#if Uring
    internal import CURing

    /// Asks whether io_uring can be had at all, before any worker is started on it.
    enum RingProbe {
        /// Why not; nil if it can.
        static func failure() -> DriverError? {
            let ring = UnsafeMutablePointer<io_uring>.allocate(capacity: 1)
            defer { unsafe ring.deallocate() }
            var features: UInt32 = 0
            let result = unsafe curing_init(ring, 8, 16, UInt32(CURING_SETUP_CQSIZE), &features)
            guard result == 0 else { return .ringRefused(errno: -result) }
            defer { unsafe io_uring_queue_exit(ring) }
            // 6.0: with SEND_ZC came multishot receive, which no probe names.
            guard unsafe curing_supports(ring, Int32(CURING_OP_SEND_ZC)) != 0 else {
                return .featureMissing("multishot receive (6.0)")
            }
            return nil
        }
    }
#endif
