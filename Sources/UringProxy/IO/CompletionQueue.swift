/// Completions waiting to be handed out, first in, first out; grows when a turn brings more than ever before.
@safe struct CompletionQueue: ~Copyable {
    private var storage: UnsafeMutablePointer<Completion>
    private var capacity = 1024
    private var head = 0
    private var tail = 0

    init() { unsafe storage = .allocate(capacity: 1024) }

    deinit { unsafe storage.deallocate() }

    var isEmpty: Bool { head == tail }
    var count: Int { tail - head }

    @inline(__always)
    mutating func append(_ completion: Completion) {
        if tail == capacity { makeRoom() }
        unsafe (storage + tail).initialize(to: completion)
        tail += 1
    }

    @inline(__always)
    mutating func popFirst() -> Completion? {
        guard head < tail else {
            head = 0
            tail = 0
            return nil
        }
        defer { head += 1 }
        return unsafe storage[head]
    }

    @inline(never)
    private mutating func makeRoom() {
        let larger = UnsafeMutablePointer<Completion>.allocate(capacity: capacity * 2)
        unsafe larger.initialize(from: storage + head, count: tail - head)
        unsafe storage.deallocate()
        unsafe storage = larger
        tail -= head
        head = 0
        capacity *= 2
    }
}
